… 13 lines as without rules
  # r1
  mount options=(bind) "/srv/{,**}" -> "/mnt/{,**}",

  # r2
  audit deny mount options=(bind) "/srv/private/{,**}" -> "/mnt/{,**}",

  # r3
  audit deny umount "/",

  # r4
  audit deny pivot_root oldroot="/" "/",

  include if exists <local/canc.app>
}
