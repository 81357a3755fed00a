… 13 lines as without rules
  # r1
  "/srv/data/**[^/]" r,
  audit deny "/srv/data/private/**[^/]" r,
  audit deny "/srv/data/*.key" r,

  include if exists <local/canc.app>
}
