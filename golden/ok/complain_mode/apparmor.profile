… 3 lines as without rules
profile canc.app flags=(complain) {
… 9 lines as without rules
  # r1
  "/srv/data/**[^/]" r,

  include if exists <local/canc.app>
}
