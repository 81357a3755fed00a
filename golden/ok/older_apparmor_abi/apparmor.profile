… 13 lines as without rules
  # r1
  "/srv/data/**[^/]" r,

  # r2
  network inet stream,
  network inet6 stream,

  include if exists <local/canc.app>
}
