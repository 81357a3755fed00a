… 13 lines as without rules
  # r1
  "/usr/bin/helper" rmUx,

  include if exists <local/canc.app>
}
