… 13 lines as without rules
  # r1
  "/srv/app/**[^/]" r,

  # r2
  network (create bind listen accept shutdown getattr setattr getopt setopt send receive) inet stream,
  network (create bind listen accept shutdown getattr setattr getopt setopt send receive) inet6 stream,

  include if exists <local/canc.app>
}
