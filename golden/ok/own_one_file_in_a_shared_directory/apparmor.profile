… 13 lines as without rules
  # r1
  "/etc/app.conf" r,

  include if exists <local/canc.app>
}
