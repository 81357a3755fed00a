… 13 lines as without rules
  # r1: logging
  "/var/log/app/*.log{,/}" w,

  # r3
  "/var/log/app/*.log.[0-9]*{,/}" w,

  # r4: logging
  "/var/log/other/*.log{,/}" w,

  include if exists <local/canc.app>
}
