… 13 lines as without rules
  # r1
  "/run/dbus/system_bus_socket" rw,
  network (create connect shutdown getattr setattr getopt setopt send receive) unix stream,

  include if exists <local/canc.app>
}
