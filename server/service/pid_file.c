/* pid_file.c - see pid_file.h. */
#include "pid_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

static const struct flock WHOLE = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

/* The process that holds it; 0: none does, and this one may. */
static pid_t holder(int fd)
{
    struct flock lock = WHOLE;
    return fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK ? lock.l_pid : 0;
}

/* Under another name first, so that whoever looks finds it whole, and locked. */
static int make(pid_file *f)
{
    char name[PATH_MAX];
    if (snprintf(name, sizeof name, "%s.%ld", f->path, (long)getpid()) >= (int)sizeof name)
        return UV_ENAMETOOLONG;
    f->fd = open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (f->fd < 0)
        return -errno;
    if (dprintf(f->fd, "%ld\n", (long)getpid()) < 0 || fcntl(f->fd, F_SETLK, &WHOLE) || rename(name, f->path)) {
        const int err = -errno;
        unlink(name);
        close(f->fd);
        f->fd = -1;
        return err;
    }
    return 0;
}

int pid_file_open(pid_file *f, const char *path, bool over, char *why, size_t size)
{
    *f = (pid_file){ .path = path, .fd = -1 };
    const int fd = over ? -1 : open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    const pid_t other = fd >= 0 ? holder(fd) : 0;
    if (fd >= 0)
        close(fd);
    if (other) {
        snprintf(why, size, "process %ld runs with that [server] pid_file, %s", (long)other, path);
        return UV_EEXIST;
    }
    const int err = make(f);
    if (err)
        snprintf(why, size, "cannot write %s ([server] pid_file): %s", path, uv_strerror(err));
    return err;
}

void pid_file_close(pid_file *f)
{
    struct stat own, there;
    if (f->fd < 0)
        return;
    if (fstat(f->fd, &own) == 0 && stat(f->path, &there) == 0 && own.st_dev == there.st_dev && own.st_ino == there.st_ino)
        unlink(f->path);
    close(f->fd);
    f->fd = -1;
}

int pid_file_holder(const char *path, pid_t *process, char *why, size_t size)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        const int err = -errno;
        if (err == UV_ENOENT)
            snprintf(why, size, "tenk does not run: there is no %s ([server] pid_file)", path);
        else
            snprintf(why, size, "cannot read %s ([server] pid_file): %s", path, uv_strerror(err));
        return err;
    }
    const pid_t found = holder(fd);
    close(fd);
    if (!found) {
        snprintf(why, size, "tenk does not run: %s ([server] pid_file) is left of one that has ended", path);
        return UV_ESRCH;
    }
    *process = found;
    return 0;
}
