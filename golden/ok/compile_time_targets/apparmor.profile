… 13 lines as without rules
  # r1
  userns create,

  # r2
  "/srv/debian" r,

  include if exists <local/canc.app>
}
