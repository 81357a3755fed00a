… 13 lines as without rules
  # r1
  userns create,

  include if exists <local/canc.app>
}
