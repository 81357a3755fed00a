… 13 lines as without rules
  # r1
  "/srv/data/**[^/]" r,

  # r2
  "/usr/lib/app/worker" rmPx -> "canc.app//&canc.worker",

… 16 lines as without rules
  # r1
  "/srv/data/public/**[^/]" r,

  include if exists <local/canc.worker>
}
