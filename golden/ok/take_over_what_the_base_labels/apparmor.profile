… 13 lines as without rules
  # r1
  "/var/www/app/**[^/]" r,

  include if exists <local/canc.app>
}
