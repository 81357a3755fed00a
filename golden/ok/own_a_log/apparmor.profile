… 13 lines as without rules
  # r1
  "/var/log/app/*.log{,/}" w,

  include if exists <local/canc.app>
}
