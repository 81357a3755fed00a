… 13 lines as without rules
  # r2
  audit deny network (connect) inet dgram,
  audit deny network (connect) inet6 dgram,

  # r3
  audit deny network netlink raw,
  audit deny network netlink dgram,

  # r4
  audit deny capability sys_admin,

  # r5
  audit deny userns create,

  # r7
  audit deny signal (send) set=(kill) peer="unconfined",

  # r8
  audit deny ptrace (read) peer="{**//&,}canc.app{//&**,}",

  include if exists <local/canc.app>
}
