… 13 lines as without rules
  # r1
  "/srv/app/static/**[^/]" r,

  # r2
  "/srv/app/state/{,**}" rwk,
  link subset "/srv/app/state/**[^/]" -> "/srv/app/state/**[^/]",

  include if exists <local/canc.app>
}
