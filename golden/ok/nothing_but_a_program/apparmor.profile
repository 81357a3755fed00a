# canc.app: an AppArmor profile, made by canc from a policy. The next build overwrites it.
abi <abi/4.0>,

profile canc.app {
  # @base: signals among the processes of the domain
  signal (send receive) peer="{**//&,}canc.app{//&**,}",

  # @base: being looked at; the other side needs a permission of its own
  ptrace (readby tracedby) peer="unconfined",

  # @base: a program of this domain, which the kernel and its loader read
  "/usr/bin/app" rm,

  include if exists <local/canc.app>
}
