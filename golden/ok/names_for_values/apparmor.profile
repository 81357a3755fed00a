… 13 lines as without rules
  # r1
  "/srv/app/html/**[^/]" r,
  "/srv/app/static/**[^/]" r,
  audit deny "/srv/app/html/private/**[^/]" r,

  # r2
  network (create bind listen accept shutdown getattr setattr getopt setopt send receive) inet stream,
  network (create bind listen accept shutdown getattr setattr getopt setopt send receive) inet6 stream,

  # r3
  network (create connect shutdown getattr setattr getopt setopt send receive) inet stream,
  network (create connect shutdown getattr setattr getopt setopt send receive) inet6 stream,

  include if exists <local/canc.app>
}
