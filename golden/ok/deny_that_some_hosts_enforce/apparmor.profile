… 13 lines as without rules
  # r1
  "/srv/**[^/]" r,

  # r2: never served
  audit deny "/srv/private/**[^/]" r,

  include if exists <local/canc.app>
}
