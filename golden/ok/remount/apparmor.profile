… 13 lines as without rules
  # r1
  remount options=(ro, nosuid) "/run/app/",

  # r2
  remount options=(ro, bind) "/run/app/data/",

  # r3
  remount "/mnt/",

  include if exists <local/canc.app>
}
