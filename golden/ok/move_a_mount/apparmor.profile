… 13 lines as without rules
  # r1
  mount options=(move) "/run/app/old/" -> "/run/app/new/",

  include if exists <local/canc.app>
}
