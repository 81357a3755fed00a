… 13 lines as without rules
  # r1
  mount fstype=("fuse.sshfs", "tmpfs") options=(nosuid, nodev) "tmpfs" -> "/run/app/",

  # r2
  capability sys_admin,

  include if exists <local/canc.app>
}
