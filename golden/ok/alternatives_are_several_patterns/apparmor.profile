… 13 lines as without rules
  # r1
  "/srv/www/a.txt" r,
  "/srv/www/b.txt" r,
  "/srv/ftp/a.txt" r,
  "/srv/ftp/b.txt" r,

  include if exists <local/canc.app>
}
