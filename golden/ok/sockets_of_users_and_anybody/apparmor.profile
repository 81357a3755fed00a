… 13 lines as without rules
  # r1
  "/run/app/user" rw,

  # r1
  # r2
  # r3
  network (create connect shutdown getattr setattr getopt setopt send receive) unix stream,
  network (create connect shutdown getattr setattr getopt setopt send receive) unix dgram,
  network (create connect shutdown getattr setattr getopt setopt send receive) unix seqpacket,

  # r2
  "/run/app/own" rw,

  # r3
  "/run/app/all" rw,

  include if exists <local/canc.app>
}
