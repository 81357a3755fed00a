… 13 lines as without rules
  # r1
  signal (send),

  # r2
  audit deny signal (send) set=(kill) peer="unconfined",

  include if exists <local/canc.app>
}
