… 13 lines as without rules
  # r1
  capability setgid setuid net_bind_service,

  # r2
  audit deny capability sys_ptrace,

  include if exists <local/canc.app>
}
