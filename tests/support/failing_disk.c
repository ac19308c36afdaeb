/* failing_disk.c - see failing_disk.h. */
#include "failing_disk.h"

#include <check.h>
#include <dlfcn.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct { atomic_int err, next, calls; } disk[DISK_CALLS];

void disk_fail(disk_call call, int err)      { disk[call].err = err; }
void disk_fail_once(disk_call call, int err) { disk[call].next = err; }
int  disk_calls(disk_call call)              { return disk[call].calls; }

void disk_fail_to_close(int fd, int err)
{
    struct sock_filter refuse[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_close, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)fd, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)-err),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog program = { sizeof refuse / sizeof *refuse, refuse };
    ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    ck_assert_int_eq(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

static int failure(disk_call call)
{
    disk[call].calls++;
    const int next = atomic_exchange(&disk[call].next, 0), err = next ? next : disk[call].err;
    if (err)
        errno = -err;
    return err;
}

#define REAL(name) ((typeof(&name))dlsym(RTLD_NEXT, #name))

int fdatasync(int fd) { return failure(DISK_SYNC) ? -1 : REAL(fdatasync)(fd); }

int fsync(int fd)
{
    struct stat s;
    const bool folder = fstat(fd, &s) == 0 && S_ISDIR(s.st_mode);
    return failure(folder ? DISK_SYNC_FOLDER : DISK_SYNC) ? -1 : REAL(fsync)(fd);
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t at)
{
    if (disk[DISK_READ_ONLY].err) {
        errno = EROFS;
        return -1;
    }
    return failure(DISK_WRITE) ? -1 : REAL(pwrite64)(fd, bytes, length, at);
}

int statvfs(const char *path, struct statvfs *to)
{
    const int err = REAL(statvfs)(path, to);
    if (!err && disk[DISK_READ_ONLY].err)
        to->f_flag |= ST_RDONLY;
    return err;
}
