… 13 lines as without rules
  # r1
  "/srv/data/{[^\x00/p]*,p,p[^\x00/r]*,pr,pr[^\x00/i]*,pri,pri[^\x00/v]*,priv,priv[^\x00/a]*,priva,priva[^\x00/t]*,privat,privat[^\x00/e]*,private?*}{,/**[^/]}" r,
  "/srv/data/private" r,

  # r2
  "/srv/data/private/open/**[^/]" r,

  include if exists <local/canc.app>
}
