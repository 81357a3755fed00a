… 13 lines as without rules
  # r1
  audit deny "/srv/data/private/**[^/]" r,

  # r2
  "/srv/data/**[^/]" r,

  include if exists <local/canc.app>
}
