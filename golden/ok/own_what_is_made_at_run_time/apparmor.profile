… 13 lines as without rules
  # r1
  "/run/app/{,**}" rwk,
  link subset "/run/app/**[^/]" -> "/run/app/**[^/]",

  include if exists <local/canc.app>
}
