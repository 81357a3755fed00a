… 13 lines as without rules
  # r1
  "/srv/app/**[^/]" r,

  include if exists <local/canc.app>
}
