… 13 lines as without rules
  # r1
  network (create connect shutdown getattr setattr getopt setopt send receive) inet dgram,
  network (create connect shutdown getattr setattr getopt setopt send receive) inet6 dgram,

  # r2
  network (create bind shutdown getattr setattr getopt setopt) inet dgram,
  network (create bind shutdown getattr setattr getopt setopt) inet6 dgram,

  include if exists <local/canc.app>
}
