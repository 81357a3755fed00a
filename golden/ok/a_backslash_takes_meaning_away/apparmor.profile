… 13 lines as without rules
  # r1
  "/srv/data/a\*b" r,
  "/srv/data/c\[d" r,

  include if exists <local/canc.app>
}
