; seccomp filters of policy app

; x86_64: filter 1 of 1, 23 instructions
    0  load architecture
    1  if == 0xc000003e (x86_64) then 2 else 22
; calls of x86_64
    2  load number
    3  if >= 0xe7 (exit_group) then 7 else 4
;   else read: allow
;       policy.can:8: allow syscall read, write, exit
    4  if >= 0x2 (open) then 5 else 15
;   then exit: allow
;       policy.can:8: allow syscall read, write, exit
    5  if == 0x3c (exit) then 15 else 6
;   else open, close, stat, fstat, lstat, poll, lseek, mmap, mprotect, munmap, brk, rt_sigaction and 215 more: errno EPERM
;   then ptrace: kill
;       policy.can:9: deny syscall ptrace with kill because "never traced"
    6  if == 0x65 (ptrace) then 22 else 19
    7  if >= 0x151 then 20 else 8
    8  if >= 0x146 (copy_file_range) then 16 else 9
;   else exit_group: allow
    9  if >= 0xe8 (epoll_wait) then 10 else 15
;   else epoll_wait, epoll_ctl, tgkill, utimes, vserver, mbind, set_mempolicy, get_mempolicy, mq_open, mq_unlink, mq_timedsend, mq_timedreceive and 81 more: errno EPERM
;   then execveat
   10  if == 0x142 (execveat) then 11 else 19
; arguments of execveat
   11  load arg0, low half
   12  if == 0xfa then 13 else 19
   13  load arg4, low half
   14  if == 0x1000 then 15 else 19
   15  return allow
;   then rseq: errno ENOSYS
   16  if == 0x14e (rseq) then 21 else 17
;   else copy_file_range, preadv2, pwritev2: errno ENOSYS
   17  if >= 0x149 (pkey_mprotect) then 18 else 21
;   else pkey_mprotect, pkey_alloc, pkey_free, io_pgetevents, uretprobe, uprobe: errno EPERM
;   then statx: errno ENOSYS
   18  if == 0x14c (statx) then 21 else 19
   19  return errno EPERM
;   else pidfd_send_signal, io_uring_setup, io_uring_enter, io_uring_register, open_tree, move_mount, fsopen, fsconfig, fsmount, fspick, pidfd_open, clone3 and 37 more: errno ENOSYS
;   then 1073741824 to 4294967295: no call: kill
   20  if >= 0x40000000 then 22 else 21
   21  return errno ENOSYS
   22  return kill

; aarch64: filter 1 of 1, 25 instructions
    0  load architecture
    1  if == 0xc00000b7 (aarch64) then 2 else 24
; calls of aarch64
    2  load number
    3  if >= 0xf4 then 9 else 4
    4  if >= 0x5f (waitid) then 8 else 5
;   else io_setup, io_destroy, io_submit, io_cancel, io_getevents, setxattr, lsetxattr, fsetxattr, getxattr, lgetxattr, fgetxattr, listxattr and 51 more: errno EPERM
    5  if >= 0x3f (read) then 6 else 21
;   else read: allow
;       policy.can:8: allow syscall read, write, exit
    6  if >= 0x41 (readv) then 7 else 17
;   else readv, writev, pread64, pwrite64, preadv, pwritev, sendfile, pselect6, ppoll, signalfd4, vmsplice, splice and 16 more: errno EPERM
;   then exit, exit_group: allow
;       policy.can:8: allow syscall read, write, exit
    7  if >= 0x5d (exit) then 17 else 21
;   else waitid, set_tid_address, unshare, futex, set_robust_list, get_robust_list, nanosleep, getitimer, setitimer, kexec_load, init_module, delete_module and 136 more: errno EPERM
;   then ptrace: kill
;       policy.can:9: deny syscall ptrace with kill because "never traced"
    8  if == 0x75 (ptrace) then 24 else 21
    9  if >= 0x127 then 22 else 10
;   else 244 to 259: no call: errno ENOSYS
   10  if >= 0x104 (wait4) then 11 else 23
   11  if >= 0x11d (copy_file_range) then 18 else 12
;   else wait4, prlimit64, fanotify_init, fanotify_mark, name_to_handle_at, open_by_handle_at, clock_adjtime, syncfs, setns, sendmmsg, process_vm_readv, process_vm_writev and 12 more: errno EPERM
;   then execveat
   12  if == 0x119 (execveat) then 13 else 21
; arguments of execveat
   13  load arg0, low half
   14  if == 0xfa then 15 else 21
   15  load arg4, low half
   16  if == 0x1000 then 17 else 21
   17  return allow
;   then rseq: errno ENOSYS
   18  if == 0x125 (rseq) then 23 else 19
;   else copy_file_range, preadv2, pwritev2: errno ENOSYS
   19  if >= 0x120 (pkey_mprotect) then 20 else 23
;   else pkey_mprotect, pkey_alloc, pkey_free, io_pgetevents, kexec_file_load: errno EPERM
;   then statx: errno ENOSYS
   20  if == 0x123 (statx) then 23 else 21
   21  return errno EPERM
;   else pidfd_send_signal, io_uring_setup, io_uring_enter, io_uring_register, open_tree, move_mount, fsopen, fsconfig, fsmount, fspick, pidfd_open, clone3 and 37 more: errno ENOSYS
;   then 1073741824 to 4294967295: no call: kill
   22  if >= 0x40000000 then 24 else 23
   23  return errno ENOSYS
   24  return kill

; riscv64: filter 1 of 1, 26 instructions
    0  load architecture
    1  if == 0xc00000f3 (riscv64) then 2 else 25
; calls of riscv64
    2  load number
    3  if >= 0xf4 then 10 else 4
    4  if >= 0x5f (waitid) then 9 else 5
    5  if >= 0x3f (read) then 7 else 6
;   else io_setup, io_destroy, io_submit, io_cancel, io_getevents, setxattr, lsetxattr, fsetxattr, getxattr, lgetxattr, fgetxattr, listxattr and 50 more: errno EPERM
;   then 38 to 38: no call: errno ENOSYS
    6  if == 0x26 then 24 else 22
;   else read: allow
;       policy.can:8: allow syscall read, write, exit
    7  if >= 0x41 (readv) then 8 else 18
;   else readv, writev, pread64, pwrite64, preadv, pwritev, sendfile, pselect6, ppoll, signalfd4, vmsplice, splice and 16 more: errno EPERM
;   then exit, exit_group: allow
;       policy.can:8: allow syscall read, write, exit
    8  if >= 0x5d (exit) then 18 else 22
;   else waitid, set_tid_address, unshare, futex, set_robust_list, get_robust_list, nanosleep, getitimer, setitimer, kexec_load, init_module, delete_module and 136 more: errno EPERM
;   then ptrace: kill
;       policy.can:9: deny syscall ptrace with kill because "never traced"
    9  if == 0x75 (ptrace) then 25 else 22
   10  if >= 0x127 then 23 else 11
;   else 244 to 257: no call: errno ENOSYS
   11  if >= 0x102 (riscv_hwprobe) then 12 else 24
   12  if >= 0x11d (copy_file_range) then 19 else 13
;   else riscv_hwprobe, riscv_flush_icache, wait4, prlimit64, fanotify_init, fanotify_mark, name_to_handle_at, open_by_handle_at, clock_adjtime, syncfs, setns, sendmmsg and 14 more: errno EPERM
;   then execveat
   13  if == 0x119 (execveat) then 14 else 22
; arguments of execveat
   14  load arg0, low half
   15  if == 0xfa then 16 else 22
   16  load arg4, low half
   17  if == 0x1000 then 18 else 22
   18  return allow
;   then rseq: errno ENOSYS
   19  if == 0x125 (rseq) then 24 else 20
;   else copy_file_range, preadv2, pwritev2: errno ENOSYS
   20  if >= 0x120 (pkey_mprotect) then 21 else 24
;   else pkey_mprotect, pkey_alloc, pkey_free, io_pgetevents, kexec_file_load: errno EPERM
;   then statx: errno ENOSYS
   21  if == 0x123 (statx) then 24 else 22
   22  return errno EPERM
;   else pidfd_send_signal, io_uring_setup, io_uring_enter, io_uring_register, open_tree, move_mount, fsopen, fsconfig, fsmount, fspick, pidfd_open, clone3 and 37 more: errno ENOSYS
;   then 1073741824 to 4294967295: no call: kill
   23  if >= 0x40000000 then 25 else 24
   24  return errno ENOSYS
   25  return kill

; seccomp/app.aarch64.bpf
; 2000000004000000 15000016b70000c0 2000000000000000 35000500f4000000
; 350003005f000000 3500000f3f000000 3500000a41000000 3500090d5d000000
; 15000f0c75000000 35000c0027010000 3500000c04010000 350006001d010000
; 1500000819010000 2000000010000000 15000006fa000000 2000000030000000
; 1500000400100000 060000000000ff7f 1500040025010000 3500000320010000
; 1500020023010000 0600000001000500 3500010000000040 0600000026000500
; 0600000000000080

; seccomp/app.riscv64.bpf
; 2000000004000000 15000017f30000c0 2000000000000000 35000600f4000000
; 350004005f000000 350001003f000000 1500110f26000000 3500000a41000000
; 3500090d5d000000 15000f0c75000000 35000c0027010000 3500000c02010000
; 350006001d010000 1500000819010000 2000000010000000 15000006fa000000
; 2000000030000000 1500000400100000 060000000000ff7f 1500040025010000
; 3500000320010000 1500020023010000 0600000001000500 3500010000000040
; 0600000026000500 0600000000000080

; seccomp/app.x86_64.bpf
; 2000000004000000 150000143e0000c0 2000000000000000 35000300e7000000
; 3500000a02000000 150009003c000000 15000f0c65000000 35000c0051010000
; 3500070046010000 35000005e8000000 1500000842010000 2000000010000000
; 15000006fa000000 2000000030000000 1500000400100000 060000000000ff7f
; 150004004e010000 3500000349010000 150002004c010000 0600000001000500
; 3500010000000040 0600000026000500 0600000000000080
