… 13 lines as without rules
  # r1
  "/usr/bin/ls" r,
  "/run/app.pid" r,

  include if exists <local/canc.app>
}
