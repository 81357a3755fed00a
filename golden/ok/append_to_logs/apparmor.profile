… 13 lines as without rules
  # r1
  "/srv/log/*.log" a,

  include if exists <local/canc.app>
}
