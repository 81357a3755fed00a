… 13 lines as without rules
  # r1
  network (create connect shutdown getattr setattr getopt setopt send receive) inet stream,
  network (create connect shutdown getattr setattr getopt setopt send receive) inet6 stream,

  include if exists <local/canc.app>
}
