… 13 lines as without rules
  # r1
  "/usr/lib/app/*" rmix,

  include if exists <local/canc.app>
}
