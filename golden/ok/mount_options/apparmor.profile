… 13 lines as without rules
  # r1
  mount fstype=("tmpfs") options=(ro, noexec, sync, dirsync, noatime, nodiratime) -> "/run/app/",

  # r2
  mount fstype=("proc") options=(rw) -> "/run/proc/",

  # r3
  mount fstype=("ext4") options=(relatime, strictatime, silent, mand) -> "/mnt/",

  include if exists <local/canc.app>
}
