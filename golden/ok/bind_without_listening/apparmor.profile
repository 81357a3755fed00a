… 13 lines as without rules
  # r1
  network (create bind shutdown getattr setattr getopt setopt) inet stream,
  network (create bind shutdown getattr setattr getopt setopt) inet6 stream,

  include if exists <local/canc.app>
}
