… 13 lines as without rules
  # r1
  "/run/app/ctl.sock" rw,
  network (create bind listen accept shutdown getattr setattr getopt setopt send receive) unix stream,

  include if exists <local/canc.app>
}
