… 13 lines as without rules
  # r6: it can be stopped by those who start it
  signal (receive) peer="unconfined",

  # r8: readiness and the watchdog
  # r11: the limits that its manager set
  "/run/systemd/notify" rw,

  # r8: readiness and the watchdog
  # r9: syslog
  # r10: the journal
  network (create connect shutdown getattr setattr getopt setopt send receive) unix dgram,

  # r9: syslog
  "/run/systemd/journal/dev-log" rw,
  "/dev/log" rw,

  # r10: the journal
  "/run/systemd/journal/stdout" rw,
  "/run/systemd/journal/socket" rw,
  network (create connect shutdown getattr setattr getopt setopt send receive) unix stream,

  # r11: the limits that its manager set
  "/sys/fs/cgroup/**[^/]" r,

  include if exists <local/canc.app>
}
