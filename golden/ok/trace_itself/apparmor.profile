… 13 lines as without rules
  # r1
  ptrace (read trace) peer="{**//&,}canc.app{//&**,}",
  ptrace (readby tracedby) peer="{**//&,}canc.app{//&**,}",

  include if exists <local/canc.app>
}
