… 13 lines as without rules
  # r1
  "/srv/data/{,**/}" r,

  include if exists <local/canc.app>
}
