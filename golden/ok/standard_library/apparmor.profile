… 10 lines as without rules
  # @base: socket pairs; without a permission to connect they reach nobody else
  network (create shutdown getattr setattr getopt setopt send receive) unix stream,
  network (create shutdown getattr setattr getopt setopt send receive) unix seqpacket,

… 3 lines as without rules
  # r1: shared libraries, the dynamic linker, plug-ins and character sets
  "/usr/lib/**[^/]" rm,
  "/usr/lib32/**[^/]" rm,
  "/usr/lib64/**[^/]" rm,
  "/usr/libx32/**[^/]" rm,
  "/usr/libexec/**[^/]" rm,
  "/usr/local/lib/**[^/]" rm,

  # r2: plug-in directories are searched
  "/usr/lib/{,**/}" r,
  "/usr/lib32/{,**/}" r,
  "/usr/lib64/{,**/}" r,
  "/usr/libx32/{,**/}" r,
  "/usr/local/lib/{,**/}" r,

  # r3: where the dynamic linker looks for libraries
  "/etc/ld.so.cache" r,
  "/etc/ld.so.preload" r,
  "/etc/ld-musl-x86_64.path" r,
  "/etc/ld-musl-aarch64.path" r,
  "/etc/ld-musl-riscv64.path" r,

  # r4: messages, time zones and character types
  "/usr/share/locale/**[^/]" r,
  "/usr/share/locale-langpack/**[^/]" r,
  "/usr/share/zoneinfo/**[^/]" r,
  "/usr/share/i18n/**[^/]" r,
  "/etc/localtime" r,
  "/etc/timezone" r,
  "/etc/locale.alias" r,

  # r5: names of users and groups
  # r28: how names of hosts and services are looked up
  "/etc/nsswitch.conf" r,

  # r5: names of users and groups
  "/etc/passwd" r,
  "/etc/group" r,

  # r6: empty input and discarded output
  "/dev/null" rw,
  "/dev/zero" rw,
  "/dev/full" rw,

  # r7: random numbers where getrandom is missing
  "/dev/random" r,
  "/dev/urandom" r,

  # r8: its own mappings, limits, descriptors and status
  owner "/proc/[0-9]*/{,**}" r,

  # r9: a process names itself
  owner "/proc/[0-9]*/comm" w,

  # r10: allocators and libraries adapt to the machine
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

  # r11: how many processors there are, and how large pages are
  "/sys/devices/system/cpu/online" r,
  "/sys/devices/system/cpu/possible" r,
  "/sys/devices/system/cpu/present" r,
  "/sys/kernel/mm/transparent_hugepage/enabled" r,
  "/sys/kernel/mm/transparent_hugepage/hpage_pmd_size" r,

  # r21: it can be stopped by those who start it
  signal (receive) peer="unconfined",

  # r28: how names of hosts and services are looked up
  "/etc/hosts" r,
  "/etc/host.conf" r,
  "/etc/resolv.conf" r,
  "/etc/gai.conf" r,
  "/etc/services" r,
  "/etc/protocols" r,
  "/etc/networks" r,

  # r29: what /etc/resolv.conf may be a link to
  "/run/systemd/resolve/*resolv*.conf" r,
  "/run/resolvconf/*resolv*.conf" r,
  "/run/NetworkManager/*resolv*.conf" r,

  # r30: questions to a name server
  network (create connect shutdown getattr setattr getopt setopt send receive) inet dgram,
  network (create connect shutdown getattr setattr getopt setopt send receive) inet6 dgram,

  # r31: answers too long for one packet
  network (create connect shutdown getattr setattr getopt setopt send receive) inet stream,
  network (create connect shutdown getattr setattr getopt setopt send receive) inet6 stream,

  # r32: a local resolver, where there is one
  "/run/systemd/resolve/io.systemd.Resolve" rw,
  "/run/nscd/socket" rw,
  network (create connect shutdown getattr setattr getopt setopt send receive) unix stream,

  # r33: which addresses the host has, so that they can be ordered
  network netlink raw,
  network netlink dgram,

  # r34: temporary files of its own user
  owner "/tmp/**[^/]" rwk,
  owner "/tmp/{,**/}" wk,
  owner "/var/tmp/**[^/]" rwk,
  owner "/var/tmp/{,**/}" wk,

  # r35: finding a free name
  "/tmp/" r,
  "/var/tmp/" r,

  # r37: the terminal
  "/dev/tty" rw,
  "/dev/pts/*" rw,
  "/dev/console" rw,
  "/dev/tty[0-9]*" rw,

  # r38: what the terminal can do
  "/usr/share/terminfo/**[^/]" r,
  "/etc/terminfo/**[^/]" r,
  "/usr/lib/terminfo/**[^/]" r,

  # r39: how the person edits lines
  "/etc/inputrc" r,
  "/{home/?*,root}/.inputrc" r,
  "/{home/?*,root}/.terminfo/**[^/]" r,

  include if exists <local/canc.app>
}
