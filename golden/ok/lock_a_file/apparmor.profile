… 13 lines as without rules
  # r1
  "/srv/data/db" rk,
  "/srv/data/db/" k,

  include if exists <local/canc.app>
}
