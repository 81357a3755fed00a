… 13 lines as without rules
  # r1
  network (create bind listen accept connect shutdown getattr setattr getopt setopt send receive) inet stream,
  network (create bind listen accept connect shutdown getattr setattr getopt setopt send receive) inet seqpacket,
  network (create bind listen accept connect shutdown getattr setattr getopt setopt send receive) inet6 stream,
  network (create bind listen accept connect shutdown getattr setattr getopt setopt send receive) inet6 seqpacket,

  include if exists <local/canc.app>
}
