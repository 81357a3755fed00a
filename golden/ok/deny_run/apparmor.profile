… 13 lines as without rules
  # r1
  "/usr/bin/*" rmix,

  # r2
  audit deny "/usr/bin/su" x,
  audit deny "/usr/bin/mount" x,

  include if exists <local/canc.app>
}
