… 13 lines as without rules
  # r1
  signal (send) set=(hup term) peer="{**//&,}canc.worker{//&**,}",

  # r2
  signal (receive) set=(usr1) peer="{**//&,}canc.worker{//&**,}",
  signal (receive) set=(usr1) peer="unconfined",

… 16 lines as without rules
  # r1
  signal (receive) set=(hup term) peer="{**//&,}canc.app{//&**,}",

  # r2
  signal (send) set=(usr1) peer="{**//&,}canc.app{//&**,}",
  signal (send) set=(usr1),

  include if exists <local/canc.worker>
}
