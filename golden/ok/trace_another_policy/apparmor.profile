… 13 lines as without rules
  # r1
  ptrace (read trace) peer="{**//&,}canc.app{//&**,}",

… 12 lines as without rules
  ptrace (readby tracedby) peer="{**//&,}canc.debugger{//&**,}",
… 6 lines as without rules
