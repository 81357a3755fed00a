… 13 lines as without rules
  # r1
  network (create bind listen accept shutdown getattr setattr getopt setopt send receive) unix stream,
  network (create bind listen accept shutdown getattr setattr getopt setopt send receive) unix dgram,
  network (create bind listen accept shutdown getattr setattr getopt setopt send receive) unix seqpacket,

  # r2
  network (create connect shutdown getattr setattr getopt setopt send receive) unix stream,
  network (create connect shutdown getattr setattr getopt setopt send receive) unix dgram,
  network (create connect shutdown getattr setattr getopt setopt send receive) unix seqpacket,

  include if exists <local/canc.app>
}
