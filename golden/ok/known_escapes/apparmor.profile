… 13 lines as without rules
  # r3
  capability sys_admin,

  # r4
  ptrace (trace) peer="{**//&,}canc.peer{//&**,}",

  # r5
  "/srv/**[^/]" w,

… 12 lines as without rules
  ptrace (tracedby) peer="{**//&,}canc.app{//&**,}",
… 4 lines as without rules
  # r1
  "/etc/hostname" r,

  # r2
  "/srv/tools/*" rmix,

  include if exists <local/canc.peer>
}
