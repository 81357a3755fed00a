… 13 lines as without rules
  # r1
  "/srv/dev/*" w,

  # r2
  capability mknod,

  include if exists <local/canc.app>
}
