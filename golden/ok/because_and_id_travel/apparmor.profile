… 13 lines as without rules
  # r1 @pages: what it serves: "pages", 100 %
  "/srv/www/**[^/]" r,

  include if exists <local/canc.app>
}
