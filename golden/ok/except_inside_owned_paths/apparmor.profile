… 13 lines as without rules
  # r1
  "/srv/app/**[^/]" r,
  audit deny "/srv/app/private/**[^/]" r,

  include if exists <local/canc.app>
}
