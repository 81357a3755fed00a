… 13 lines as without rules
  # r1
  "/srv/data/{,**}" rwk,
  link subset "/srv/data/**[^/]" -> "/srv/data/**[^/]",

  include if exists <local/canc.app>
}
