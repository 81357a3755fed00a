… 13 lines as without rules
  # r1
  "/{home/?*,root}/.config/app/**[^/]" r,

  include if exists <local/canc.app>
}
