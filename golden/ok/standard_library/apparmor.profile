… 10 lines as without rules
  # @base: socket pairs; without a permission to connect they reach nobody else
  network (create shutdown getattr setattr getopt setopt send receive) unix stream,
  network (create shutdown getattr setattr getopt setopt send receive) unix seqpacket,

… 3 lines as without rules
  # r1: shared libraries, plug-ins and character sets
  "/usr/lib/x86_64-linux-gnu/**[^/]" rm,
  "/usr/lib/x86_64-linux-musl/**[^/]" rm,
  "/usr/lib/aarch64-linux-gnu/**[^/]" rm,
  "/usr/lib/aarch64-linux-musl/**[^/]" rm,
  "/usr/lib/riscv64-linux-gnu/**[^/]" rm,
  "/usr/lib/riscv64-linux-musl/**[^/]" rm,

  # r2: plug-in directories are searched
  "/usr/lib/x86_64-linux-gnu/{,**/}" r,
  "/usr/lib/x86_64-linux-musl/{,**/}" r,
  "/usr/lib/aarch64-linux-gnu/{,**/}" r,
  "/usr/lib/aarch64-linux-musl/{,**/}" r,
  "/usr/lib/riscv64-linux-gnu/{,**/}" r,
  "/usr/lib/riscv64-linux-musl/{,**/}" r,

  # r3: the dynamic linker
  "/usr/lib64/ld-linux-x86-64.so.2" rm,
  "/usr/lib/ld-linux-aarch64.so.1" rm,
  "/usr/lib/ld-linux-riscv64-lp64d.so.1" rm,
  "/usr/lib/ld-musl-x86_64.so.1" rm,
  "/usr/lib/ld-musl-aarch64.so.1" rm,
  "/usr/lib/ld-musl-riscv64.so.1" rm,

  # r4: where the dynamic linker looks for libraries
  "/etc/ld.so.cache" r,
  "/etc/ld.so.preload" r,
  "/etc/ld-musl-x86_64.path" r,
  "/etc/ld-musl-aarch64.path" r,
  "/etc/ld-musl-riscv64.path" r,

  # r5: messages, time zones and character types
  "/usr/share/locale/**[^/]" r,
  "/usr/share/locale-langpack/**[^/]" r,
  "/usr/share/zoneinfo/**[^/]" r,
  "/usr/share/i18n/**[^/]" r,
  "/usr/lib/locale/**[^/]" r,
  "/etc/localtime" r,
  "/etc/timezone" r,
  "/etc/locale.alias" r,

  # r6: names of users and groups
  # r29: how names of hosts and services are looked up
  "/etc/nsswitch.conf" r,

  # r6: names of users and groups
  "/etc/passwd" r,
  "/etc/group" r,

  # r7: empty input and discarded output
  "/dev/null" rw,
  "/dev/zero" rw,
  "/dev/full" rw,

  # r8: random numbers where getrandom is missing
  "/dev/random" r,
  "/dev/urandom" r,

  # r9: its own mappings, limits, descriptors and status
  owner "/proc/[0-9]*/{,**}" r,

  # r10: a process names itself
  owner "/proc/[0-9]*/comm" w,

  # r11: allocators and libraries adapt to the machine
  "/proc/meminfo" r,
  "/proc/cpuinfo" r,
  "/proc/stat" r,
  "/proc/filesystems" r,
  "/proc/version" r,
  "/proc/sys/vm/overcommit_memory" r,
  "/proc/sys/kernel/cap_last_cap" r,
  "/proc/sys/kernel/ngroups_max" r,
  "/proc/sys/kernel/osrelease" r,
  "/proc/sys/kernel/pid_max" r,
  "/proc/sys/kernel/random/boot_id" r,
  "/proc/sys/kernel/random/uuid" r,

  # r12: how many processors there are, and how large pages are
  "/sys/devices/system/cpu/online" r,
  "/sys/devices/system/cpu/possible" r,
  "/sys/devices/system/cpu/present" r,
  "/sys/kernel/mm/transparent_hugepage/enabled" r,
  "/sys/kernel/mm/transparent_hugepage/hpage_pmd_size" r,

  # r22: it can be stopped by those who start it
  signal (receive) peer="unconfined",

  # r29: how names of hosts and services are looked up
  "/etc/hosts" r,
  "/etc/host.conf" r,
  "/etc/resolv.conf" r,
  "/etc/gai.conf" r,
  "/etc/services" r,
  "/etc/protocols" r,
  "/etc/networks" r,

  # r30: what /etc/resolv.conf may be a link to
  "/run/systemd/resolve/*resolv*.conf" r,
  "/run/resolvconf/*resolv*.conf" r,
  "/run/NetworkManager/*resolv*.conf" r,

  # r31: questions to a name server
  network (create connect shutdown getattr setattr getopt setopt send receive) inet dgram,
  network (create connect shutdown getattr setattr getopt setopt send receive) inet6 dgram,

  # r32: answers too long for one packet
  network (create connect shutdown getattr setattr getopt setopt send receive) inet stream,
  network (create connect shutdown getattr setattr getopt setopt send receive) inet6 stream,

  # r33: a local resolver, where there is one
  "/run/systemd/resolve/io.systemd.Resolve" rw,
  "/run/nscd/socket" rw,
  network (create connect shutdown getattr setattr getopt setopt send receive) unix stream,

  # r34: which addresses the host has, so that they can be ordered
  network netlink raw,
  network netlink dgram,

  # r35: temporary files of its own user
  owner "/tmp/**[^/]" rwk,
  owner "/tmp/{,**/}" wk,
  owner "/var/tmp/**[^/]" rwk,
  owner "/var/tmp/{,**/}" wk,

  # r36: finding a free name
  "/tmp/" r,
  "/var/tmp/" r,

  # r38: the terminal
  "/dev/tty" rw,
  "/dev/pts/*" rw,
  "/dev/console" rw,
  "/dev/tty[0-9]*" rw,

  # r39: what the terminal can do
  "/usr/share/terminfo/**[^/]" r,
  "/etc/terminfo/**[^/]" r,
  "/usr/lib/terminfo/**[^/]" r,

  # r40: how the person edits lines
  "/etc/inputrc" r,
  "/{home/?*,root}/.inputrc" r,
  "/{home/?*,root}/.terminfo/**[^/]" r,

  include if exists <local/canc.app>
}
