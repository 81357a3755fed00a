{#- The words of the profile language, each in one place: the printer calls these macros, and the reader learns its words by printing them. -#}
{%- macro capability(x) -%}
{%- match x -%}
{%- when 0 -%}chown
{%- when 1 -%}dac_override
{%- when 2 -%}dac_read_search
{%- when 3 -%}fowner
{%- when 4 -%}fsetid
{%- when 5 -%}kill
{%- when 6 -%}setgid
{%- when 7 -%}setuid
{%- when 8 -%}setpcap
{%- when 9 -%}linux_immutable
{%- when 10 -%}net_bind_service
{%- when 11 -%}net_broadcast
{%- when 12 -%}net_admin
{%- when 13 -%}net_raw
{%- when 14 -%}ipc_lock
{%- when 15 -%}ipc_owner
{%- when 16 -%}sys_module
{%- when 17 -%}sys_rawio
{%- when 18 -%}sys_chroot
{%- when 19 -%}sys_ptrace
{%- when 20 -%}sys_pacct
{%- when 21 -%}sys_admin
{%- when 22 -%}sys_boot
{%- when 23 -%}sys_nice
{%- when 24 -%}sys_resource
{%- when 25 -%}sys_time
{%- when 26 -%}sys_tty_config
{%- when 27 -%}mknod
{%- when 28 -%}lease
{%- when 29 -%}audit_write
{%- when 30 -%}audit_control
{%- when 31 -%}setfcap
{%- when 32 -%}mac_override
{%- when 33 -%}mac_admin
{%- when 34 -%}syslog
{%- when 35 -%}wake_alarm
{%- when 36 -%}block_suspend
{%- when 37 -%}audit_read
{%- when 38 -%}perfmon
{%- when 39 -%}bpf
{%- when 40 -%}checkpoint_restore
{%- else -%}
{%- endmatch -%}
{%- endmacro -%}
{%- macro signal(x) -%}
{%- match x -%}
{%- when 0 -%}exists
{%- when 1 -%}hup
{%- when 2 -%}int
{%- when 3 -%}quit
{%- when 4 -%}ill
{%- when 5 -%}trap
{%- when 6 -%}abrt
{%- when 7 -%}bus
{%- when 8 -%}fpe
{%- when 9 -%}kill
{%- when 10 -%}usr1
{%- when 11 -%}segv
{%- when 12 -%}usr2
{%- when 13 -%}pipe
{%- when 14 -%}alrm
{%- when 15 -%}term
{%- when 16 -%}stkflt
{%- when 17 -%}chld
{%- when 18 -%}cont
{%- when 19 -%}stop
{%- when 20 -%}stp
{%- when 21 -%}ttin
{%- when 22 -%}ttou
{%- when 23 -%}urg
{%- when 24 -%}xcpu
{%- when 25 -%}xfsz
{%- when 26 -%}vtalrm
{%- when 27 -%}prof
{%- when 28 -%}winch
{%- when 29 -%}io
{%- when 30 -%}pwr
{%- when 31 -%}sys
{%- else -%}rtmin+{{ (x - 32)|number }}
{%- endmatch -%}
{%- endmacro -%}
{%- macro file_perm(x) -%}
{%- match x -%}
{%- when FilePerm::Read -%}r
{%- when FilePerm::Write -%}w
{%- when FilePerm::Append -%}a
{%- when FilePerm::Lock -%}k
{%- when FilePerm::Map -%}m
{%- when FilePerm::Exec -%}x
{%- endmatch -%}
{%- endmacro -%}
{%- macro net_perm(x) -%}
{%- match x -%}
{%- when NetPerm::Create -%}create
{%- when NetPerm::Bind -%}bind
{%- when NetPerm::Listen -%}listen
{%- when NetPerm::Accept -%}accept
{%- when NetPerm::Connect -%}connect
{%- when NetPerm::Shutdown -%}shutdown
{%- when NetPerm::Getattr -%}getattr
{%- when NetPerm::Setattr -%}setattr
{%- when NetPerm::Getopt -%}getopt
{%- when NetPerm::Setopt -%}setopt
{%- when NetPerm::Send -%}send
{%- when NetPerm::Receive -%}receive
{%- endmatch -%}
{%- endmacro -%}
{%- macro signal_perm(x) -%}
{%- match x -%}
{%- when SignalPerm::Send -%}send
{%- when SignalPerm::Receive -%}receive
{%- endmatch -%}
{%- endmacro -%}
{%- macro ptrace_perm(x) -%}
{%- match x -%}
{%- when PtracePerm::Read -%}read
{%- when PtracePerm::Trace -%}trace
{%- when PtracePerm::Readby -%}readby
{%- when PtracePerm::Tracedby -%}tracedby
{%- endmatch -%}
{%- endmacro -%}
{%- macro mqueue_perm(x) -%}
{%- match x -%}
{%- when MqueuePerm::Create -%}create
{%- when MqueuePerm::Open -%}open
{%- when MqueuePerm::Read -%}read
{%- when MqueuePerm::Write -%}write
{%- when MqueuePerm::Delete -%}delete
{%- when MqueuePerm::Getattr -%}getattr
{%- when MqueuePerm::Setattr -%}setattr
{%- endmatch -%}
{%- endmacro -%}
{%- macro family(x) -%}
{%- match x -%}
{%- when Family::Inet -%}inet
{%- when Family::Inet6 -%}inet6
{%- when Family::Unix -%}unix
{%- when Family::Netlink -%}netlink
{%- when Family::Packet -%}packet
{%- when Family::Vsock -%}vsock
{%- when Family::Alg -%}alg
{%- endmatch -%}
{%- endmacro -%}
{%- macro socket_type(x) -%}
{%- match x -%}
{%- when SocketType::Stream -%}stream
{%- when SocketType::Dgram -%}dgram
{%- when SocketType::Seqpacket -%}seqpacket
{%- when SocketType::Raw -%}raw
{%- endmatch -%}
{%- endmacro -%}
{%- macro mount_option(x) -%}
{%- match x -%}
{%- when MountOption::Ro -%}ro
{%- when MountOption::Rw -%}rw
{%- when MountOption::Nosuid -%}nosuid
{%- when MountOption::Nodev -%}nodev
{%- when MountOption::Noexec -%}noexec
{%- when MountOption::Sync -%}sync
{%- when MountOption::Dirsync -%}dirsync
{%- when MountOption::Noatime -%}noatime
{%- when MountOption::Nodiratime -%}nodiratime
{%- when MountOption::Relatime -%}relatime
{%- when MountOption::Strictatime -%}strictatime
{%- when MountOption::Silent -%}silent
{%- when MountOption::Mand -%}mand
{%- when MountOption::Bind -%}bind
{%- when MountOption::Rbind -%}rbind
{%- when MountOption::Move -%}move
{%- when MountOption::Shared -%}shared
{%- when MountOption::Slave -%}slave
{%- when MountOption::Private -%}private
{%- when MountOption::Unbindable -%}unbindable
{%- when MountOption::Rshared -%}rshared
{%- when MountOption::Rslave -%}rslave
{%- when MountOption::Rprivate -%}rprivate
{%- when MountOption::Runbindable -%}runbindable
{%- endmatch -%}
{%- endmacro -%}
