/* connection.c - requests out, answers in. */
#include "connection.h"

#include "clock.h"
#include "fail.h"
#include "slices.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    OUT = CONNECTION_WAITING * 512, /* a request is no longer than 512 */
    IN = 256 * 1024,
    UNSENT = 4096, /* bytes that the kernel may hold before the server's kernel has room for them */
    REST = 100 * MILLISECOND, /* of a connection that broke */
};

static void watch(connection *c, const target *t, int operation)
{
    struct epoll_event event = { .events = EPOLLIN | (c->wants_room ? EPOLLOUT : 0), .data.ptr = c };
    if (epoll_ctl(t->poller, operation, c->fd, &event))
        fail("epoll_ctl: %s", strerror(errno));
}

static void set(int fd, int level, int name, int value)
{
    setsockopt(fd, level, name, &value, sizeof value);
}

/* Without waiting unless it is the first time: send() fails with EAGAIN until it is open. */
static void open_it(connection *c, const target *t, int flags)
{
    const struct sockaddr_in address = { .sin_family = AF_INET,
                                        .sin_port = htons((uint16_t)t->port),
                                        .sin_addr = { htonl(INADDR_LOOPBACK) } };
    c->fd = socket(AF_INET, SOCK_STREAM | flags, 0);
    if (c->fd < 0)
        fail("socket: %s", strerror(errno));
    set(c->fd, IPPROTO_TCP, TCP_NODELAY, 1);
    set(c->fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, UNSENT);
    set(c->fd, SOL_SOCKET, SO_TIMESTAMPNS, 1);
    /* A reset instead of a goodbye: thousands of ports in TIME_WAIT would be missing later. */
    setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &(struct linger){ .l_onoff = 1 }, sizeof(struct linger));
    if (connect(c->fd, (const struct sockaddr *)&address, sizeof address) && errno != EINPROGRESS)
        fail("connect: %s", strerror(errno));
    c->answer = (answer){ 0 };
    c->left = 0;
    c->wants_room = flags & SOCK_NONBLOCK;
    watch(c, t, EPOLL_CTL_ADD);
}

void connection_init(connection *c, const target *t)
{
    *c = (connection){ 0 };
    ring_init(&c->waiting, CONNECTION_WAITING);
    ring_init(&c->outstanding, t->depth);
    open_it(c, t, 0);
}

bool connection_is_idle(const connection *c)
{
    return ring_count(&c->waiting) == 0 && ring_count(&c->outstanding) == 0;
}

static void broke(connection *c, int64_t now)
{
    close(c->fd);
    c->fd = -1;
    c->again = now + REST;
    slice_at(now)->broken += ring_count(&c->outstanding);
    c->outstanding.first = c->outstanding.end;
}

void connection_ask(connection *c, const target *t, int64_t due)
{
    static uint64_t seed = 88172645463325252;
    seed ^= seed << 13; /* xorshift */
    seed ^= seed >> 7;
    seed ^= seed << 17;
    slice_at(due)->offered++;
    if (ring_full(&c->waiting) ||
        ring_count(&c->waiting) + ring_count(&c->outstanding) >= t->depth) {
        slice_at(due)->unsent++;
        return;
    }
    ring_put(&c->waiting, (asked){ .due = due, .id = 1 + (uint32_t)(seed >> 32) % t->most });
}

/* The one that is half sent cannot be given up. */
static void give_up(connection *c, const target *t, int64_t now)
{
    while (c->left == 0 && ring_count(&c->waiting) > 0 &&
           ring_at(&c->waiting, 0)->due < now - t->patience)
        slice_at(ring_take(&c->waiting).due)->unsent++;
}

static size_t write_request(char *out, const target *t, uint32_t id)
{
    char *p = stpcpy(out, "GET ");
    for (const char *from = t->path; *from; from++) {
        if (*from == '#')
            p += sprintf(p, "%u", id);
        else
            *p++ = *from;
    }
    p = stpcpy(p, " HTTP/1.1\r\nHost: localhost\r\nAccept: ");
    p = stpcpy(p, t->accept);
    p = stpcpy(p, "\r\n\r\n");
    return (size_t)(p - out);
}

static void want_room(connection *c, const target *t, bool wanted)
{
    if (c->wants_room == wanted)
        return;
    c->wants_room = wanted;
    watch(c, t, EPOLL_CTL_MOD);
}

void connection_flush(connection *c, const target *t)
{
    static char out[OUT];
    size_t ends[CONNECTION_WAITING], length = 0;
    const int64_t now = clock_now();

    give_up(c, t, now);
    if (c->fd < 0) {
        if (now < c->again)
            return;
        open_it(c, t, SOCK_NONBLOCK);
    }
    const uint32_t count = ring_count(&c->waiting);
    for (uint32_t n = 0; n < count; n++)
        ends[n] = length += write_request(out + length, t, ring_at(&c->waiting, n)->id);
    if (count == 0)
        return;

    ssize_t sent = send(c->fd, out + c->left, length - c->left, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno != EAGAIN) {
        broke(c, now);
        return;
    }
    const size_t whole = c->left + (size_t)(sent > 0 ? sent : 0);
    uint32_t done = 0;
    while (done < count && ends[done] <= whole) {
        const asked a = ring_take(&c->waiting);
        slice_at(a.due)->sent++;
        ring_put(&c->outstanding, a);
        done++;
    }
    c->left = (uint32_t)(whole - (done > 0 ? ends[done - 1] : 0));
    want_room(c, t, whole < length);
}

/* When the last of the bytes that were just received came, by this clock. */
static int64_t arrival(struct msghdr *message, int64_t now)
{
    for (struct cmsghdr *m = CMSG_FIRSTHDR(message); m; m = CMSG_NXTHDR(message, m)) {
        if (m->cmsg_level != SOL_SOCKET || m->cmsg_type != SCM_TIMESTAMPNS)
            continue;
        struct timespec came, real;
        memcpy(&came, CMSG_DATA(m), sizeof came);
        clock_gettime(CLOCK_REALTIME, &real);
        const int64_t ago =
            (real.tv_sec - came.tv_sec) * SECOND + (real.tv_nsec - came.tv_nsec) / 1000;
        return ago > 0 && ago < SECOND ? now - ago : now;
    }
    return now;
}

static void count_answer(connection *c, int64_t came)
{
    slice *s = slice_at(came);
    if (ring_count(&c->outstanding) == 0)
        fail("an answer that nobody has asked for");
    const asked a = ring_take(&c->outstanding);
    if (c->answer.status == 200) {
        s->good++;
        histogram_add(&s->times, came - a.due);
    } else if (c->answer.status == 503)
        s->refused++;
    else
        s->other++;
}

void connection_read(connection *c)
{
    static char in[IN];
    char control[CMSG_SPACE(sizeof(struct timespec))];
    struct iovec room = { .iov_base = in, .iov_len = sizeof in };
    struct msghdr message = { .msg_iov = &room,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof control };

    const ssize_t n = recvmsg(c->fd, &message, MSG_DONTWAIT);
    const int64_t now = clock_now();
    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0) {
        broke(c, now);
        return;
    }
    const int64_t came = arrival(&message, now);
    const char *at = in, *end = in + n;
    while (at < end && answer_take(&c->answer, &at, (size_t)(end - at))) {
        count_answer(c, came);
        if (c->answer.closes) {
            broke(c, now);
            return;
        }
    }
}
