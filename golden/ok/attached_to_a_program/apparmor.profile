… 3 lines as without rules
profile canc.app "/usr/sbin/appd" {
… 10 lines as without rules
  # r1
  "/srv/data/**[^/]" r,

  include if exists <local/canc.app>
}
