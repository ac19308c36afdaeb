/* failing_disk.c - see failing_disk.h. */
#include "failing_disk.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

static struct { atomic_int err, next, calls; } disk[DISK_CALLS];

void disk_fail(disk_call call, int err)      { disk[call].err = err; }
void disk_fail_once(disk_call call, int err) { disk[call].next = err; }
int  disk_calls(disk_call call)              { return disk[call].calls; }

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
