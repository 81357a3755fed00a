… 13 lines as without rules
  # r1: never
  audit deny "/etc/shadow" w,

  include if exists <local/canc.app>
}
