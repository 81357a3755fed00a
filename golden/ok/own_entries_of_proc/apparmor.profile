… 13 lines as without rules
  # r1
  owner "/proc/[0-9]*/status" r,
  owner "/proc/[0-9]*/maps" r,

  include if exists <local/canc.app>
}
