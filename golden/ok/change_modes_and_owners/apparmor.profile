… 13 lines as without rules
  # r1
  "/srv/data/{,**}" w,

  include if exists <local/canc.app>
}
