… 13 lines as without rules
  # r1
  signal (receive) set=(hup int quit ill trap abrt bus fpe usr1 segv usr2 pipe alrm term stkflt chld cont stop stp ttin ttou urg xcpu xfsz vtalrm prof winch io pwr sys rtmin+0 rtmin+1 rtmin+2 rtmin+3 rtmin+4 rtmin+5 rtmin+6 rtmin+7 rtmin+8 rtmin+9 rtmin+10 rtmin+11 rtmin+12 rtmin+13 rtmin+14 rtmin+15 rtmin+16 rtmin+17 rtmin+18 rtmin+19 rtmin+20 rtmin+21 rtmin+22 rtmin+23 rtmin+24 rtmin+25 rtmin+26 rtmin+27 rtmin+28 rtmin+29 rtmin+30 rtmin+31 rtmin+32) peer="unconfined",

  include if exists <local/canc.app>
}
