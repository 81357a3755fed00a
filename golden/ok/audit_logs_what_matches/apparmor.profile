… 13 lines as without rules
  # r1
  audit "/srv/data/**[^/]" r,

  # r2
  audit deny "/srv/secret" r,

  include if exists <local/canc.app>
}
