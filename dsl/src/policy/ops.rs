//! The words that rules list, as sets of small enums: accesses, operations, modes, flags.

use canc_sets::bit_set;

bit_set! {
    /// One kind of request on a path. The words `replace` and `manage` are several of them.
    FileOps(u16) of FileOp {
        /// Open for reading, readlink, map without exec.
        Read = "read",
        /// Read a directory's entries.
        List = "list",
        /// Change existing contents, truncate, ioctl on a device.
        Write = "write",
        /// Add at the end only.
        Append = "append",
        /// Make an entry that is no device node.
        Create = "create",
        /// Remove an entry.
        Delete = "delete",
        /// Be the source of a hard link.
        Link = "link",
        /// Lock.
        Lock = "lock",
        /// chmod, chown, utimes, extended attributes; never the set-id bits.
        Setattr = "setattr",
        /// Set the set-user-id and set-group-id bits.
        Setid = "setattr setid",
        /// Map with exec.
        Map = "map",
        /// Make a device node.
        Mknod = "mknod",
        /// Execute.
        Run = "run",
    }
}

bit_set! {
    /// What a network rule permits.
    NetOps(u8) of NetOp {
        /// Connect; for UDP it implies sending to and receiving from that peer.
        Connect = "connect",
        /// Bind to a local port.
        Bind = "bind",
        /// Bind, listen and accept.
        Listen = "listen",
        /// Send a datagram to a port.
        Send = "send",
        /// Receive datagrams.
        Receive = "receive",
    }
}

bit_set! {
    /// A unix socket's type.
    UnixTypes(u8) of UnixType {
        /// `SOCK_STREAM`
        Stream = "stream",
        /// `SOCK_DGRAM`
        Dgram = "dgram",
        /// `SOCK_SEQPACKET`
        Seqpacket = "seqpacket",
    }
}

bit_set! {
    /// A kind of ptrace access.
    PtraceModes(u8) of PtraceMode {
        /// Read memory and state.
        Read = "read",
        /// Attach and control.
        Trace = "trace",
    }
}

bit_set! {
    /// A part of io_uring.
    IoUringUses(u8) of IoUringUse {
        /// Set up and use rings.
        Rings = "",
        /// Kernel-side polling threads.
        Sqpoll = "sqpoll",
        /// Personalities registered by another.
        OverrideCreds = "override_creds",
        /// Pass-through commands to drivers.
        Cmd = "cmd",
    }
}

bit_set! {
    /// What a POSIX message queue rule permits.
    MqueueOps(u8) of MqueueOp {
        /// Make a queue.
        Create = "create",
        /// Receive.
        Read = "read",
        /// Send.
        Write = "write",
        /// Remove a queue.
        Delete = "delete",
    }
}

bit_set! {
    /// A kind of namespace, for `isolate` and for `allow namespace`.
    NamespaceKinds(u8) of NamespaceKind {
        /// `CLONE_NEWNS`
        Mount = "mount",
        /// `CLONE_NEWPID`
        Pid = "pid",
        /// `CLONE_NEWNET`
        Net = "net",
        /// `CLONE_NEWIPC`
        Ipc = "ipc",
        /// `CLONE_NEWUTS`
        Uts = "uts",
        /// `CLONE_NEWCGROUP`
        Cgroup = "cgroup",
        /// `CLONE_NEWTIME`
        Time = "time",
        /// `CLONE_NEWUSER`; only for `isolate`, since rules say `userns create`.
        User = "user",
    }
}

bit_set! {
    /// A mount flag that rules may name.
    MountFlags(u16) of MountFlag {
        /// `MS_RDONLY`
        Ro = "ro",
        /// `MS_NOSUID`
        Nosuid = "nosuid",
        /// `MS_NODEV`
        Nodev = "nodev",
        /// `MS_NOEXEC`
        Noexec = "noexec",
        /// `MS_SYNCHRONOUS`
        Sync = "sync",
        /// `MS_DIRSYNC`
        Dirsync = "dirsync",
        /// `MS_NOATIME`
        Noatime = "noatime",
        /// `MS_NODIRATIME`
        Nodiratime = "nodiratime",
        /// `MS_RELATIME`
        Relatime = "relatime",
        /// `MS_STRICTATIME`
        Strictatime = "strictatime",
        /// `MS_SILENT`
        Silent = "silent",
        /// `MS_MANDLOCK`
        Mand = "mand",
    }
}
