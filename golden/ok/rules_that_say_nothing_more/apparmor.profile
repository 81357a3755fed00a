… 13 lines as without rules
  # r1
  "/srv/www/**[^/]" r,

  # r2: no longer needed
  "/srv/www/index.html" r,

  # r3
  "/srv/www/log" rw,

  # r4
  "/srv/www/own/**[^/]" r,

  # r5
  audit "/srv/www/secret" r,

  # r6
  # r7
  network (create connect shutdown getattr setattr getopt setopt send receive) inet stream,
  network (create connect shutdown getattr setattr getopt setopt send receive) inet6 stream,

  # r8
  capability chown,

  # r9
  capability chown fowner,

  # r10
  "/srv/data/*" r,

  # r11
  "/srv/data/[a-z]*" r,

  include if exists <local/canc.app>
}
