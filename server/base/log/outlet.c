/* outlet.c - see outlet.h. */
#include "outlet.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syslog.h>
#include <time.h>
#include <unistd.h>

static const uint64_t SECOND = 1000000000;

static bool fd_is_file(int fd)
{
    struct stat s;
    return fstat(fd, &s) == 0 && S_ISREG(s.st_mode);
}

int outlet_open(outlet *o, const char *where, char *room, size_t size)
{
    o->ring = (line_ring){ .bytes = room, .size = size };
    return outlet_target_open(&o->to, where);
}

void outlet_close(outlet *o) { outlet_target_close(&o->to); }

static uint64_t lines_in(const char *at, size_t length)
{
    uint64_t lines = 0;
    for (const char *const end = at + length; (at = memchr(at, '\n', (size_t)(end - at))); at++)
        lines++;
    return lines;
}

/* Takes so many lines out of the ring that nobody wants any more, or as many as there are: how many. */
static uint64_t outlet_pass_over(outlet *o, uint64_t most)
{
    uint64_t lines = 0, upto = atomic_load(&o->ring.taken);
    while (lines < most && line_ring_copy(&o->ring, &upto, o->batch, sizeof o->batch))
        lines++;
    if (lines > 0)
        line_ring_free(&o->ring, upto);
    return lines;
}

void outlet_redirect(outlet *o, const outlet_target *to)
{
    outlet_pass_over(o, lines_in(o->batch, o->at));          /* of a line that was written in part the whole is to be written */
    o->at = o->end = 0;
    if (to->kind == OUTLET_NONE)
        atomic_fetch_add(&o->dropped, outlet_pass_over(o, UINT64_MAX));
    outlet_target_close(&o->to);
    o->to = *to;
    o->err = 0;
    o->retry = 0;
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
        const ssize_t n = fd_has_room(o->to.fd, ms) ? fd_write(o->to.fd, bytes + at, length - at) : -ETIMEDOUT;
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
    const size_t most = o->to.kind != OUTLET_SYSLOG && fd_is_file(o->to.fd) ? OUTLET_BATCH : PIPE_BUF;
    o->at = o->end = 0;
    o->upto = atomic_load(&o->ring.taken);
    if (o->to.kind == OUTLET_SYSLOG) {
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
    if (o->to.fd < 0 && now >= o->retry) {
        outlet_target_reconnect(&o->to);
        o->retry = now + SECOND;
    }
    if (o->to.fd < 0)
        return -ENOTCONN;
    const ssize_t n = send(o->to.fd, o->batch, o->end, MSG_NOSIGNAL);
    if (n >= 0)
        return n;
    const int err = -errno;
    if (err != -EAGAIN)
        outlet_target_disconnect(&o->to);
    return err;
}

static ssize_t outlet_send(outlet *o)
{
    if (o->to.kind == OUTLET_NONE)
        return (ssize_t)(o->end - o->at);
    if (o->to.kind == OUTLET_SYSLOG) {
        const bool had = o->to.fd >= 0;
        const ssize_t n = syslog_send(o);
        return n < 0 && n != -EAGAIN && had ? syslog_send(o) : n;
    }
    return fd_has_room(o->to.fd, 0) ? fd_write(o->to.fd, o->batch + o->at, o->end - o->at) : -EAGAIN;
}

static uint64_t outlet_lines_left(const outlet *o)
{
    return o->to.kind == OUTLET_SYSLOG ? 1 : lines_in(o->batch + o->at, o->end - o->at);
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
