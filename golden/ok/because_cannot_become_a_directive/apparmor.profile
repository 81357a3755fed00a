… 13 lines as without rules
  # r1: include <abstractions/base> #include <x> `ifdef(dnl)' define(read,write)
  "/srv/www/**[^/]" r,

  include if exists <local/canc.app>
}
