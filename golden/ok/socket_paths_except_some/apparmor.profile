… 13 lines as without rules
  # r1
  "/run/app/*" rw,
  audit deny "/run/app/admin.sock" rw,
  network (create connect shutdown getattr setattr getopt setopt send receive) unix stream,
  network (create connect shutdown getattr setattr getopt setopt send receive) unix dgram,
  network (create connect shutdown getattr setattr getopt setopt send receive) unix seqpacket,

  include if exists <local/canc.app>
}
