… 13 lines as without rules
  # r1
  "/srv/app/{,**}" rwk,
  link subset "/srv/app/**[^/]" -> "/srv/app/**[^/]",

  include if exists <local/canc.app>
}
