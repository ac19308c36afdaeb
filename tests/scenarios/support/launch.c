/* launch.c - see launch.h. */
#include "launch.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static terms next;

void next_errors_to(int fd)    { next.errors = fd; }
void next_without(int fd)      { next.without[fd] = true; }
void next_as_user(uid_t user)  { next.user = user; }
void next_without_ipv6(void)   { next.no_ipv6 = true; }

void next_listening(int fd) { next.listening = fd; }

void next_in_cgroup(const char *folder) { next.cgroup = folder; }

void next_shown(const char *file, const char *as)
{
    next.shown = file;
    next.as = as;
}

void next_limited(int resource, rlim_t most)
{
    next.limited = true;
    next.resource = resource;
    next.most = most;
}

static int refuse_ipv6(void)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_INET6, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EAFNOSUPPORT),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog filter = { sizeof code / sizeof code[0], code };
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter);
}

static bool join(const char *cgroup)
{
    char path[512];
    snprintf(path, sizeof path, "%s/cgroup.procs", cgroup);
    const int fd = open(path, O_WRONLY | O_CLOEXEC);
    return fd >= 0 && write(fd, "0", 1) == 1;
}

/* It may read what the one who tests may, for a checkout may lie in a folder of root's. */
static bool become(uid_t user)
{
    struct __user_cap_header_struct version = { .version = _LINUX_CAPABILITY_VERSION_3 };
    const uint32_t reads = 1u << CAP_DAC_OVERRIDE;
    const struct __user_cap_data_struct all[_LINUX_CAPABILITY_U32S_3] = { { reads, reads, reads } };
    if (prctl(PR_SET_KEEPCAPS, 1) || setgid(user) || setuid(user))
        return false;
    syscall(SYS_capset, &version, all);
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_OVERRIDE, 0, 0);
    return prctl(PR_SET_PDEATHSIG, SIGKILL) == 0;            /* which setuid has undone */
}

void terms_apply(const terms *t)
{
    if ((t->cgroup && !join(t->cgroup)) || (t->shown && mount(t->shown, t->as, NULL, MS_BIND, NULL)))
        _exit(125);
    if (t->errors > 0)
        dup2(t->errors, STDERR_FILENO);
    if (t->limited && setrlimit(t->resource, &(struct rlimit){ t->most, t->most }))
        _exit(125);
    if (t->user && !become(t->user))
        _exit(125);
    if (t->no_ipv6 && refuse_ipv6())
        _exit(125);
    for (int fd = 0; fd < 3; fd++)
        if (t->without[fd])
            close(fd);
}

terms next_terms(void)
{
    const terms t = next;
    next = (terms){ 0 };
    return t;
}
