… 13 lines as without rules
  # r1
  "/srv/with\*star/**[^/]" r,

  # r2
  network (create bind listen accept shutdown getattr setattr getopt setopt send receive) inet stream,
  network (create bind listen accept shutdown getattr setattr getopt setopt send receive) inet6 stream,

  # r3
  ptrace (trace) peer="{**//&,}canc.app{//&**,}",
  ptrace (tracedby) peer="{**//&,}canc.app{//&**,}",

  include if exists <local/canc.app>
}
