… 13 lines as without rules
  # r1
  userns create,

  # r2
  capability net_admin sys_admin,

  include if exists <local/canc.app>
}
