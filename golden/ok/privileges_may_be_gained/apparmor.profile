… 13 lines as without rules
  # r1
  "/usr/bin/sudo" rmUx,

  include if exists <local/canc.app>
}
