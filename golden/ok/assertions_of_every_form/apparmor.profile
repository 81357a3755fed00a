… 13 lines as without rules
  # r1
  owner "/srv/app/**[^/]" r,

  # r2
  network (create connect shutdown getattr setattr getopt setopt send receive) inet stream,
  network (create connect shutdown getattr setattr getopt setopt send receive) inet6 stream,

  # r3
  "/usr/lib/app/tool" rmix,

  # r4 @no_shell
  audit deny "/usr/bin/sh" x,

  # r5: never read
  audit deny "/srv/app/private" r,

  include if exists <local/canc.app>
}
