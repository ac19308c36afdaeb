/* outlet.c - see outlet.h. */
#include "outlet.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syslog.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static const uint64_t SECOND = 1000000000;

static bool fd_is_file(int fd)
{
    struct stat s;
    return fstat(fd, &s) == 0 && S_ISREG(s.st_mode);
}

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

int outlet_open(outlet *o, const char *where, char *room, size_t size)
{
    static const char SYSLOG[] = "syslog:";
    const bool err = strcmp(where, "stderr") == 0, syslog = strcmp(where, "syslog") == 0;
    o->ring = (line_ring){ .bytes = room, .size = size };
    o->kind = OUTLET_STREAM;
    o->fd = err ? STDERR_FILENO : STDOUT_FILENO;
    if (err || strcmp(where, "stdout") == 0)
        return 0;
    o->path = syslog ? "/dev/log" : where;
    o->kind = syslog ? OUTLET_SYSLOG : OUTLET_FILE;
    if (strncmp(where, SYSLOG, sizeof SYSLOG - 1) == 0) {
        o->kind = OUTLET_SYSLOG;
        o->path = where + sizeof SYSLOG - 1;
    } else if (!syslog && !strchr(where, '/')) {
        return -EINVAL;
    }
    o->fd = o->kind == OUTLET_FILE ? file_open(o->path) : syslog_connect(o->path);
    return o->fd < 0 ? o->fd : 0;
}

static void outlet_use(outlet *o, int fd)
{
    if (o->fd >= 0)
        close(o->fd);
    o->fd = fd;
}

void outlet_close(outlet *o)
{
    if (o->kind == OUTLET_FILE || o->kind == OUTLET_SYSLOG)
        outlet_use(o, -1);
    o->kind = OUTLET_NONE;
}

int outlet_reopen(outlet *o)
{
    if (o->kind != OUTLET_FILE)
        return 0;
    const int fd = file_open(o->path);
    if (fd < 0)
        return fd;
    outlet_use(o, fd);
    return 0;
}

/* Writing. */

static bool fd_has_room(int fd, int ms)
{
    struct pollfd p = { fd, POLLOUT, 0 };
    int ready;
    while ((ready = poll(&p, 1, ms)) < 0 && errno == EINTR)
        ;
    return ready > 0;                        /* or an error, which the write will tell */
}

static ssize_t fd_write(int fd, const char *at, size_t length)
{
    ssize_t n;
    do
        n = write(fd, at, length);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

bool outlet_write_now(const outlet *o, const char *bytes, size_t length, int ms)
{
    for (size_t at = 0; at < length;) {
        const ssize_t n = fd_has_room(o->fd, ms) ? fd_write(o->fd, bytes + at, length - at) : -ETIMEDOUT;
        if (n < 0 && n != -EAGAIN)
            return false;
        at += n > 0 ? (size_t)n : 0;
    }
    return true;
}

/* What a datagram begins with: priority, the local time, and who says it (RFC 3164, 4.1; its host is the local one's). */
static size_t syslog_begin(char *to, size_t size)
{
    struct tm local;
    const time_t now = time(NULL);
    localtime_r(&now, &local);
    size_t n = (size_t)snprintf(to, size, "<%d>", LOG_DAEMON | LOG_INFO);
    n += strftime(to + n, size - n, "%b %e %H:%M:%S", &local);
    return n + (size_t)snprintf(to + n, size - n, " tenk[%ld]: ", (long)getpid());
}

/* Takes what is written next out of the ring, as far as there is any. */
static void outlet_fill(outlet *o)
{
    const size_t most = o->kind != OUTLET_SYSLOG && fd_is_file(o->fd) ? OUTLET_BATCH : PIPE_BUF;
    o->at = o->end = 0;
    o->upto = atomic_load(&o->ring.taken);
    if (o->kind == OUTLET_SYSLOG) {
        const size_t begin = syslog_begin(o->batch, sizeof o->batch);
        const size_t n = line_ring_copy(&o->ring, &o->upto, o->batch + begin, OUTLET_LINE);
        o->end = n ? begin + n - 1 : 0;      /* without its end */
        return;
    }
    for (size_t n; (n = line_ring_copy(&o->ring, &o->upto, o->batch + o->end, most - o->end));)
        o->end += n;
}

static uint64_t outlet_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * SECOND + (uint64_t)now.tv_nsec;
}

/* Its daemon may have gone, and come again: that is looked for once a second. */
static ssize_t syslog_send(outlet *o)
{
    const uint64_t now = outlet_now();
    if (o->fd < 0 && now >= o->retry) {
        o->fd = syslog_connect(o->path);
        o->retry = now + SECOND;
    }
    if (o->fd < 0)
        return -ENOTCONN;
    const ssize_t n = send(o->fd, o->batch, o->end, MSG_NOSIGNAL);
    if (n >= 0)
        return n;
    const int err = -errno;
    if (err != -EAGAIN)
        outlet_use(o, -1);
    return err;
}

static ssize_t outlet_send(outlet *o)
{
    if (o->kind == OUTLET_SYSLOG) {
        const bool had = o->fd >= 0;
        const ssize_t n = syslog_send(o);
        return n < 0 && n != -EAGAIN && had ? syslog_send(o) : n;
    }
    return fd_has_room(o->fd, 0) ? fd_write(o->fd, o->batch + o->at, o->end - o->at) : -EAGAIN;
}

static uint64_t outlet_lines_left(const outlet *o)
{
    uint64_t lines = o->kind == OUTLET_SYSLOG;
    for (const char *at = o->batch + o->at, *const end = o->batch + o->end;
         o->kind != OUTLET_SYSLOG && (at = memchr(at, '\n', (size_t)(end - at))); at++)
        lines++;
    return lines;
}

outlet_state outlet_go_on(outlet *o)
{
    for (size_t written = 0; written < o->ring.size;) {
        if (o->at == o->end)
            outlet_fill(o);
        if (o->end == 0)
            return line_ring_used(&o->ring) ? OUTLET_COMING : OUTLET_EMPTY;
        const ssize_t n = outlet_send(o);
        if (n == -EAGAIN)
            return OUTLET_FULL;
        o->err = n < 0 ? (int)n : 0;
        if (n < 0)
            atomic_fetch_add(&o->dropped, outlet_lines_left(o));
        o->at = n < 0 ? o->end : o->at + (size_t)n;
        written += n < 0 ? o->end : (size_t)n;
        if (o->at == o->end)
            line_ring_free(&o->ring, o->upto);
    }
    return OUTLET_MORE;
}
