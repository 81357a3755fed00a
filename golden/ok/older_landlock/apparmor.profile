… 13 lines as without rules
  # r1
  network (create connect shutdown getattr setattr getopt setopt send receive) inet stream,
  network (create connect shutdown getattr setattr getopt setopt send receive) inet6 stream,

  # r2
  "/srv/data/db" w,

  # r3
  network (create connect shutdown getattr setattr getopt setopt send receive) unix stream,
  network (create connect shutdown getattr setattr getopt setopt send receive) unix dgram,
  network (create connect shutdown getattr setattr getopt setopt send receive) unix seqpacket,

  include if exists <local/canc.app>
}
