… 13 lines as without rules
  # r1
  "/srv/data/state" w,

  include if exists <local/canc.app>
}
