… 13 lines as without rules
  # r1
  "/srv/inner" r,

  # r2
  "/srv/outer" r,

  include if exists <local/canc.app>
}
