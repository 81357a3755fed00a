… 13 lines as without rules
  # r1
  "/srv/data/**[^/]" r,
  "/srv/more/**[^/]" r,

  # r2
  audit deny "/srv/data/private/**[^/]" r,

  # r3
  network (create connect shutdown getattr setattr getopt setopt send receive) inet stream,
  network (create connect shutdown getattr setattr getopt setopt send receive) inet6 stream,

  include if exists <local/canc.app>
}
