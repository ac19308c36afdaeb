/* outlet_target.c - see outlet_target.h. */
#include "outlet_target.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Without waiting: a FIFO that nobody reads is an error, and one whose reader is slow says that it is full. */
static int file_open(const char *path)
{
    const int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0640);
    return fd < 0 ? -errno : fd;
}

static int syslog_connect(const char *path)
{
    struct sockaddr_un to = { .sun_family = AF_UNIX };
    if (strlen(path) >= sizeof to.sun_path)
        return -ENAMETOOLONG;
    memcpy(to.sun_path, path, strlen(path) + 1);
    const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    if (connect(fd, (struct sockaddr *)&to, sizeof to)) {
        const int err = -errno;
        close(fd);
        return err;
    }
    return fd;
}

static int target_open_path(outlet_target *t, outlet_kind kind, const char *path)
{
    const int fd = kind == OUTLET_FILE ? file_open(path) : syslog_connect(path);
    if (fd < 0)
        return fd;
    char *const own = strdup(path);          /* memory.h has the log, which has this */
    if (!own) {
        close(fd);
        return -ENOMEM;
    }
    t->kind = kind;
    t->fd   = fd;
    t->path = own;
    return 0;
}

int outlet_target_open(outlet_target *t, const char *where)
{
    static const char SYSLOG[] = "syslog:";
    const bool err = strcmp(where, "stderr") == 0;
    if (err || strcmp(where, "stdout") == 0) {
        *t = (outlet_target){ OUTLET_STREAM, err ? STDERR_FILENO : STDOUT_FILENO, NULL };
        return 0;
    }
    if (strcmp(where, "syslog") == 0)
        return target_open_path(t, OUTLET_SYSLOG, "/dev/log");
    if (strncmp(where, SYSLOG, sizeof SYSLOG - 1) == 0)
        return target_open_path(t, OUTLET_SYSLOG, where + sizeof SYSLOG - 1);
    return strchr(where, '/') ? target_open_path(t, OUTLET_FILE, where) : -EINVAL;
}

static void target_use(outlet_target *t, int fd)
{
    if (t->fd >= 0)
        close(t->fd);
    t->fd = fd;
}

void outlet_target_close(outlet_target *t)
{
    if (t->kind == OUTLET_FILE || t->kind == OUTLET_SYSLOG)
        target_use(t, -1);
    free(t->path);
    *t = (outlet_target){ .fd = -1 };
}

int outlet_target_reopen(outlet_target *t)
{
    if (t->kind != OUTLET_FILE)
        return 0;
    const int fd = file_open(t->path);
    if (fd < 0)
        return fd;
    target_use(t, fd);
    return 0;
}

void outlet_target_reconnect(outlet_target *t)  { target_use(t, syslog_connect(t->path)); }
void outlet_target_disconnect(outlet_target *t) { target_use(t, -1); }
