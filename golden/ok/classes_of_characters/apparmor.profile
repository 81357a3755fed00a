… 13 lines as without rules
  # r1
  "/srv/data/[a-c]*" r,
  "/srv/data/[^\x00/a-c]" r,

  include if exists <local/canc.app>
}
