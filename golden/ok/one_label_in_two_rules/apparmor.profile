… 13 lines as without rules
  # r1
  # r2
  "/srv/app/**[^/]" rw,

  include if exists <local/canc.app>
}
