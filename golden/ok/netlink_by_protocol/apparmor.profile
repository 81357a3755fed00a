… 13 lines as without rules
  # r1
  network netlink raw,
  network netlink dgram,

  include if exists <local/canc.app>
}
