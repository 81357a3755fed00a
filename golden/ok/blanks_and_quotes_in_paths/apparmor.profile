… 13 lines as without rules
  # r1
  "/srv/with blank/\x22quoted\x22" r,
  "/srv/$HOME/é" r,

  include if exists <local/canc.app>
}
