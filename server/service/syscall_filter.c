/* syscall_filter.c - see syscall_filter.h. */
#include "syscall_filter.h"

#include <errno.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

/* What this kind of machine does not have is left out. */
static const char *const ALLOWED[] = {
    /* Files. */
    "access", "chdir", "chmod", "close", "close_range", "copy_file_range", "creat", "dup", "dup2", "dup3", "faccessat",
    "faccessat2", "fadvise64", "fallocate", "fchmod", "fchmodat", "fchown", "fchownat", "fcntl", "fdatasync", "flock",
    "fstat", "fstatfs", "fsync", "ftruncate", "getcwd", "getdents", "getdents64", "link", "linkat", "lseek", "lstat",
    "mkdir", "mkdirat", "newfstatat", "open", "openat", "openat2", "pipe", "pipe2", "pread64", "preadv", "preadv2",
    "pwrite64", "pwritev", "pwritev2", "read", "readlink", "readlinkat", "readv", "rename", "renameat", "renameat2",
    "rmdir", "sendfile", "splice", "stat", "statfs", "statx", "symlink", "symlinkat", "sync_file_range", "truncate",
    "umask", "unlink", "unlinkat", "utime", "utimensat", "write", "writev",
    /* Memory. */
    "brk", "get_mempolicy", "madvise", "membarrier", "memfd_create", "mincore", "mlock", "mmap", "mprotect", "mremap",
    "msync", "munlock", "munmap",
    /* Sockets. */
    "accept", "accept4", "bind", "connect", "getpeername", "getsockname", "getsockopt", "listen", "recvfrom", "recvmmsg",
    "recvmsg", "sendmmsg", "sendmsg", "sendto", "setsockopt", "shutdown", "socketpair",
    /* Waiting. */
    "epoll_create", "epoll_create1", "epoll_ctl", "epoll_pwait", "epoll_pwait2", "epoll_wait", "eventfd", "eventfd2",
    "inotify_add_watch", "inotify_init1", "inotify_rm_watch", "poll", "ppoll", "pselect6", "select", "signalfd",
    "signalfd4", "timerfd_create", "timerfd_gettime", "timerfd_settime",
    /* Threads and processes: workers are started from here. */
    "arch_prctl", "clone", "clone3", "execve", "exit", "exit_group", "fork", "futex", "futex_waitv", "get_robust_list",
    "getcpu", "getegid", "geteuid", "getgid", "getgroups", "getpgid", "getpgrp", "getpid", "getppid", "getpriority",
    "getresgid", "getresuid", "getrlimit", "getrusage", "getsid", "gettid", "getuid", "kill", "pidfd_open",
    "pidfd_send_signal", "prctl", "prlimit64", "process_vm_readv", "rseq", "sched_get_priority_max",
    "sched_get_priority_min", "sched_getaffinity", "sched_getparam", "sched_getscheduler", "sched_setaffinity",
    "sched_yield", "set_robust_list", "set_tid_address", "setpgid", "setpriority", "setrlimit", "setsid", "sysinfo",
    "tgkill", "times", "tkill", "uname", "vfork", "wait4", "waitid",
    /* Signals. */
    "pause", "restart_syscall", "rt_sigaction", "rt_sigpending", "rt_sigprocmask", "rt_sigqueueinfo", "rt_sigreturn",
    "rt_sigsuspend", "rt_sigtimedwait", "rt_tgsigqueueinfo", "sigaltstack",
    /* Time, and chance. */
    "alarm", "clock_getres", "clock_gettime", "clock_nanosleep", "getitimer", "getrandom", "gettimeofday", "nanosleep",
    "setitimer", "time", "timer_create", "timer_delete", "timer_getoverrun", "timer_gettime", "timer_settime",
};

static const int FAMILIES[] = { AF_UNIX, AF_INET, AF_INET6, AF_NETLINK };

static int allow_all(scmp_filter_ctx filter)
{
    int err = 0;
    for (size_t i = 0; !err && i < sizeof ALLOWED / sizeof ALLOWED[0]; i++) {
        const int number = seccomp_syscall_resolve_name(ALLOWED[i]);
        if (number >= 0)
            err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 0);
    }
    for (size_t i = 0; !err && i < sizeof FAMILIES / sizeof FAMILIES[0]; i++)
        err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1, SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)FAMILIES[i]));
    if (!err)                                /* but not to type into a terminal that others read from */
        err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1, SCMP_A1_32(SCMP_CMP_NE, TIOCSTI));
    return err;
}

int syscall_filter_install(char *why, size_t size)
{
    const scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    int err = filter ? allow_all(filter) : -ENOMEM;
    if (!err)
        err = seccomp_load(filter);          /* with no_new_privs, which it takes */
    if (filter)
        seccomp_release(filter);
    if (err)
        snprintf(why, size, "[server] seccomp: the kernel does not take the filter: %s", strerror(-err));
    return err;
}
