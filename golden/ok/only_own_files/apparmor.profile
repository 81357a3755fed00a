… 13 lines as without rules
  # r1
  owner "/srv/data/**[^/]" rw,

  include if exists <local/canc.app>
}
