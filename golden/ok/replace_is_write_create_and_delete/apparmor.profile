… 13 lines as without rules
  # r1
  "/srv/data/state-*.json{,/}" w,

  include if exists <local/canc.app>
}
