… 13 lines as without rules
  # r1
  mount fstype=("ext4") "/dev/sd*{,/}" -> "/mnt/?*{,/}",

  include if exists <local/canc.app>
}
