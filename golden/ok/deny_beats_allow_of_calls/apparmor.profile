… 10 lines as without rules
  # @base: socket pairs; without a permission to connect they reach nobody else
  network (create shutdown getattr setattr getopt setopt send receive) unix stream,
  network (create shutdown getattr setattr getopt setopt send receive) unix seqpacket,

… 5 lines as without rules
