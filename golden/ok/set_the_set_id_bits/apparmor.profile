… 13 lines as without rules
  # r1
  "/srv/data/helper{,/}" w,

  include if exists <local/canc.app>
}
