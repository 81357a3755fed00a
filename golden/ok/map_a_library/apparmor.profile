… 13 lines as without rules
  # r1
  "/srv/lib/*.so" rm,

  include if exists <local/canc.app>
}
