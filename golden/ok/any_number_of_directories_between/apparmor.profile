… 13 lines as without rules
  # r1
  "/srv/{,**/}index.html" r,

  include if exists <local/canc.app>
}
