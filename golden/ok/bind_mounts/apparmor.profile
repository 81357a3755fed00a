… 13 lines as without rules
  # r1
  mount options=(bind) "/srv/data/{,**}" -> "/run/app/data/",

  # r2
  mount options=(rbind) "/usr/" -> "/run/app/usr/",

  include if exists <local/canc.app>
}
