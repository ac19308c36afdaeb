/* socket_file.c - see socket_file.h. */
#include "socket_file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

socklen_t socket_file_address(const char *path, struct sockaddr_un *a)
{
    *a = (struct sockaddr_un){ .sun_family = AF_UNIX };
    const size_t length = strlen(path);
    memcpy(a->sun_path, path, length + 1);
    if (path[0] != '@')
        return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + 1);
    a->sun_path[0] = '\0';                   /* its length ends an abstract name */
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
}

/* Held while a stale file is replaced: else two that start at once may both see the stale one, and the later one would
 * take away what the first has just made. Who else locks the folder for long does not keep us from starting.
 * -1: there is no such folder. */
static int socket_lock_folder(const char *path)
{
    enum { TRIES = 50, PAUSE = 5000000 };    /* nanoseconds */
    char copy[sizeof((socket_file *)0)->path];
    strcpy(copy, path);
    const int folder = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (int i = 0; folder >= 0 && i < TRIES && flock(folder, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK; i++)
        nanosleep(&(struct timespec){ .tv_nsec = PAUSE }, NULL);
    return folder;
}

/* Does nobody listen there any more? */
static bool socket_is_stale(const struct sockaddr_un *a, socklen_t length)
{
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const bool stale = fd >= 0 && connect(fd, (const struct sockaddr *)a, length) && errno == ECONNREFUSED;
    if (fd >= 0)
        close(fd);
    return stale;
}

/* 0 if there is nothing in the way, from now on. */
static int socket_make_room(const char *path, const struct sockaddr_un *a, socklen_t length, char *why, size_t size)
{
    struct stat there;
    if (lstat(path, &there))
        return 0;                            /* if that is an error, bind will have it, too */
    if (!S_ISSOCK(there.st_mode)) {
        snprintf(why, size, "there is a file of that name, which is no socket");
        return UV_EEXIST;
    }
    if (!socket_is_stale(a, length)) {
        snprintf(why, size, "another program listens there");
        return UV_EADDRINUSE;
    }
    return unlink(path) ? -errno : 0;
}

void socket_file_adopt(socket_file *f, const char *path)
{
    struct stat made;
    if (path[0] == '@' || lstat(path, &made))
        return;
    *f = (socket_file){ .device = made.st_dev, .inode = made.st_ino };
    strcpy(f->path, path);
}

static int socket_bind(socket_file *f, int fd, const char *path, int mode, int backlog, char *why, size_t size)
{
    struct sockaddr_un a;
    const socklen_t length = socket_file_address(path, &a);
    int err = path[0] == '@' ? 0 : socket_make_room(path, &a, length, why, size);
    if (err)
        return err;
    if (mode >= 0 && fchmod(fd, (mode_t)mode))       /* Linux makes the file with this, but for the umask: so none is made */
        return -errno;                               /* first that lets in more */
    if (bind(fd, (const struct sockaddr *)&a, length)) {
        err = -errno;
        if (err == UV_EADDRINUSE)
            snprintf(why, size, "another program listens there");
        return err;
    }
    if ((path[0] != '@' && mode >= 0 && chmod(path, (mode_t)mode)) || listen(fd, backlog))
        return -errno;
    socket_file_adopt(f, path);
    return 0;
}

int socket_file_bind(socket_file *f, int fd, const char *path, int mode, int backlog, char *why, size_t size)
{
    why[0] = '\0';
    const int folder = path[0] == '@' ? -1 : socket_lock_folder(path);
    const int err = socket_bind(f, fd, path, mode, backlog, why, size);
    if (err && !why[0])
        snprintf(why, size, "%s", uv_strerror(err));
    if (folder >= 0)
        close(folder);
    return err;
}

void socket_file_remove(socket_file *f)
{
    struct stat there;
    if (f->path[0] && lstat(f->path, &there) == 0 && there.st_dev == f->device && there.st_ino == f->inode)
        unlink(f->path);
    f->path[0] = '\0';
}
