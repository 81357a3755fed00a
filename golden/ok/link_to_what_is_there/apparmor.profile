… 13 lines as without rules
  # r1
  link subset "/srv/links/**[^/]" -> "/srv/data/**[^/]",

  # r2
  "/srv/links/{,**}" w,

  include if exists <local/canc.app>
}
