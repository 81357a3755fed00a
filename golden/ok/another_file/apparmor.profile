… 13 lines as without rules
  # r1: what it serves
  "/srv/www/**[^/]" r,

  # r2
  network (create bind listen accept shutdown getattr setattr getopt setopt send receive) inet stream,
  network (create bind listen accept shutdown getattr setattr getopt setopt send receive) inet6 stream,

  # r3
  "/srv/www/{,**/}" r,

  include if exists <local/canc.app>
}
