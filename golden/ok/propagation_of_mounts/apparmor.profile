… 13 lines as without rules
  # r1
  mount options=(shared) -> "/mnt/a/",
  mount options=(shared, silent) -> "/mnt/a/",

  # r2
  mount options=(slave) -> "/mnt/b/",
  mount options=(slave, silent) -> "/mnt/b/",

  # r3
  mount options=(private) -> "/mnt/c/",
  mount options=(private, silent) -> "/mnt/c/",

  # r4
  mount options=(unbindable) -> "/mnt/d/",
  mount options=(unbindable, silent) -> "/mnt/d/",

  # r5
  mount options=(rshared) -> "/mnt/e/",
  mount options=(rshared, silent) -> "/mnt/e/",

  # r6
  mount options=(rslave) -> "/mnt/f/",
  mount options=(rslave, silent) -> "/mnt/f/",

  # r7
  mount options=(rprivate) -> "/",
  mount options=(rprivate, silent) -> "/",

  # r8
  mount options=(runbindable) -> "/mnt/g/",
  mount options=(runbindable, silent) -> "/mnt/g/",

  include if exists <local/canc.app>
}
