… 13 lines as without rules
  # r1
  "/run/app/ctl" rw,
  network (create connect shutdown getattr setattr getopt setopt send receive) unix stream,
  network (create connect shutdown getattr setattr getopt setopt send receive) unix dgram,
  network (create connect shutdown getattr setattr getopt setopt send receive) unix seqpacket,

… 16 lines as without rules
  # r1
  "/run/app/ctl" rw,
  network (create bind listen accept shutdown getattr setattr getopt setopt send receive) unix stream,
  network (create bind listen accept shutdown getattr setattr getopt setopt send receive) unix dgram,
  network (create bind listen accept shutdown getattr setattr getopt setopt send receive) unix seqpacket,

  # r2
  "/run/app/{,**}" rwk,
  link subset "/run/app/**[^/]" -> "/run/app/**[^/]",

  include if exists <local/canc.server>
}
