… 13 lines as without rules
  # r1
  mount options=(shared) -> "/mnt/a/",

  # r2
  mount options=(slave) -> "/mnt/b/",

  # r3
  mount options=(private) -> "/mnt/c/",

  # r4
  mount options=(unbindable) -> "/mnt/d/",

  # r5
  mount options=(rshared) -> "/mnt/e/",

  # r6
  mount options=(rslave) -> "/mnt/f/",

  # r7
  mount options=(rprivate) -> "/",

  # r8
  mount options=(runbindable) -> "/mnt/g/",

  include if exists <local/canc.app>
}
