… 13 lines as without rules
  # r1
  network (create shutdown getattr setattr getopt setopt send) inet dgram,
  network (create shutdown getattr setattr getopt setopt send) inet6 dgram,

  # r2
  network (create shutdown getattr setattr getopt setopt receive) inet dgram,
  network (create shutdown getattr setattr getopt setopt receive) inet6 dgram,

  include if exists <local/canc.app>
}
