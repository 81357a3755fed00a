… 13 lines as without rules
  # r1
  "/run/user/[0-9]{,[0-9]{,[0-9]{,[0-9]{,[0-9]{,[0-9]{,[0-9]{,[0-9]{,[0-9]{,[0-9]}}}}}}}}}/app/**[^/]" rw,

  include if exists <local/canc.app>
}
