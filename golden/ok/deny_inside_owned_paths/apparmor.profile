… 13 lines as without rules
  # r1
  "/srv/app/**[^/]" r,

  # r2
  audit deny "/srv/app/private/**[^/]" r,

  include if exists <local/canc.app>
}
