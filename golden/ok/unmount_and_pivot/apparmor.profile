… 13 lines as without rules
  # r1
  umount "/run/app/{,**}",

  # r2
  pivot_root oldroot="/run/app/old/" "/run/app/",

  include if exists <local/canc.app>
}
