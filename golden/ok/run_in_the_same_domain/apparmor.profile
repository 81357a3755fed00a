… 13 lines as without rules
  # r1
  "/usr/bin/helper" rmix,

  include if exists <local/canc.app>
}
