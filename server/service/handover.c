/* handover.c - see handover.h. */
#include "handover.h"
#include "server/base/deadline.h"
#include "server/base/log.h"
#include "server/http/listen/listening_sockets.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

enum {
    VERSION = 1,
    AT_ONCE = 128,                           /* descriptors in one message; the kernel takes 253 */
    PATIENCE = 5000,                         /* milliseconds for an answer that takes no time */
};

/* What the old one says: some of its sockets come with it. Both are of one machine: numbers are as they are in memory. */
typedef struct offer {
    char     magic[4];                       /* "tenk" */
    uint32_t version;
    int64_t  process;
    uint64_t drain_ms;
    uint32_t left;                           /* sockets that come with further messages */
    uint32_t count;                          /* with this one */
} offer;

static const char TAKE = 'T', GOING = 'G', CLOSED = 'C';     /* all else that is said */

typedef union rights { char bytes[CMSG_SPACE(AT_ONCE * sizeof(int))]; struct cmsghdr aligned; } rights;

/* The new one's side. */

static void keep_sockets(struct msghdr *m)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        int fds[AT_ONCE];
        const size_t size = c->cmsg_len - CMSG_LEN(0);
        memcpy(fds, CMSG_DATA(c), size);
        for (size_t i = 0; i < size / sizeof fds[0]; i++)
            listening_sockets_add(fds[i], LISTENING_FROM_TENK);
    }
}

static int handover_receive(handover *h, uint32_t *left)
{
    offer o;
    rights r;
    struct iovec part = { &o, sizeof o };
    struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = r.bytes, .msg_controllen = sizeof r.bytes };
    if (poll(&(struct pollfd){ h->channel, POLLIN, 0 }, 1, PATIENCE) <= 0)
        return UV_ETIMEDOUT;
    const ssize_t n = recvmsg(h->channel, &m, MSG_CMSG_CLOEXEC);
    if (n < 0)
        return -errno;
    keep_sockets(&m);
    if (n != sizeof o || memcmp(o.magic, "tenk", sizeof o.magic) != 0 || o.version != VERSION)
        return n == 0 ? UV_EPERM : UV_EPROTO;
    if (m.msg_flags & MSG_CTRUNC)
        return UV_EMFILE;
    h->process = (long)o.process;
    h->drain_ms = o.drain_ms;
    *left = o.left;
    return 0;
}

static const char *handover_words(int err)
{
    switch (err) {
    case UV_EPERM:  return "it does not give its sockets: it is another user's, or is giving them to another one, or stops";
    case UV_EPROTO: return "what listens there is no tenk, or another version of it";
    case UV_EMFILE: return "the limit of open files is too low for its sockets";
    default:        return uv_strerror(err);
    }
}

int handover_ask(handover *h, const char *path, char *why, size_t size)
{
    struct sockaddr_un at;
    uint32_t left = 1;
    *h = (handover){ .channel = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0) };
    int err = h->channel < 0 ? -errno : 0;
    if (!err && connect(h->channel, (struct sockaddr *)&at, socket_file_address(path, &at))) {
        err = -errno;
        handover_end(h);
        if (err == UV_ENOENT || err == UV_ECONNREFUSED)
            return 0;
    }
    while (!err && left)
        err = handover_receive(h, &left);
    if (err) {
        handover_end(h);
        listening_sockets_close_untaken();
        snprintf(why, size, "cannot take over from the tenk at %s ([server] handover): %s", path, handover_words(err));
    }
    return err;
}

void handover_take(handover *h)
{
    if (h->channel < 0 || h->taken)
        return;
    h->taken = true;
    char said = 0;
    struct pollfd on = { h->channel, POLLIN, 0 };
    send(h->channel, &TAKE, sizeof TAKE, MSG_NOSIGNAL);
    if (poll(&on, 1, PATIENCE) <= 0 || recv(h->channel, &said, sizeof said, 0) != sizeof said || said != GOING)
        log_warning("taking over: process %ld has ended by itself, or does not answer", h->process);
    else
        log_info("taking over from process %ld", h->process);
}

int handover_wait_closed(const handover *h)
{
    enum { BESIDE = 5000 };                  /* milliseconds that it may take to end, beside its clients */
    struct pollfd on = { h->channel, POLLIN, 0 };
    const uint64_t until = deadline_in(h->drain_ms + BESIDE);
    int n;
    do
        n = poll(&on, 1, deadline_poll_ms(until));           /* its end is readable as well */
    while (n < 0);
    return n > 0 ? 0 : UV_ETIMEDOUT;
}

void handover_end(handover *h)
{
    if (h->channel >= 0)
        close(h->channel);
    h->channel = -1;
}

/* The old one's side. */

int handover_open(handover_server *s, const char *path, char *why, size_t size)
{
    char reason[256];
    *s = (handover_server){ .asking = -1, .listening = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0) };
    int err = s->listening < 0 ? -errno : 0;
    if (err)
        snprintf(reason, sizeof reason, "%s", uv_strerror(err));
    else
        err = socket_file_bind(&s->file, s->listening, path, 0600, 1, reason, sizeof reason);
    if (err) {
        snprintf(why, size, "cannot listen on %s ([server] handover): %s", path, reason);
        handover_close(s);
    }
    return err;
}

static bool may_ask(int fd, long *process)
{
    struct ucred who = { .uid = (uid_t)-1 };
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &(socklen_t){ sizeof who }))
        return false;
    *process = who.pid;
    return who.uid == 0 || who.uid == geteuid();
}

struct offering { int to; uint64_t drain_ms; };

static int send_sockets(void *arg, const int fds[], int count)
{
    const struct offering *to = arg;
    int first = 0;
    do {
        const int some = count - first < AT_ONCE ? count - first : AT_ONCE;
        offer o = { .magic = { 't', 'e', 'n', 'k' }, .version = VERSION, .process = getpid(), .drain_ms = to->drain_ms,
                    .left = (uint32_t)(count - first - some), .count = (uint32_t)some };
        rights r = { 0 };
        struct iovec part = { &o, sizeof o };
        struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = r.bytes,
                            .msg_controllen = CMSG_SPACE((size_t)some * sizeof *fds) };
        struct cmsghdr *c = CMSG_FIRSTHDR(&m);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN((size_t)some * sizeof *fds);
        memcpy(CMSG_DATA(c), fds + first, (size_t)some * sizeof *fds);
        if (sendmsg(to->to, &m, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
            return -errno;
        first += some;
    } while (first < count);
    return 0;
}

void handover_asked(handover_server *s, uint64_t drain_ms)
{
    long process = 0;
    const int fd = accept4(s->listening, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0)
        return;
    if (s->asking >= 0 || !may_ask(fd, &process)) {
        log_warning("process %ld asked for the sockets, and did not get them: %s", process,
                    s->asking >= 0 ? "another one has them" : "it is another user's");
        close(fd);
        return;
    }
    const int err = listening_sockets_send(send_sockets, &(struct offering){ fd, drain_ms });
    if (err) {
        log_warning("process %ld cannot be given the sockets: %s", process, uv_strerror(err));
        close(fd);
        return;
    }
    s->asking = fd;
    log_info("process %ld prepares to take over", process);
}

bool handover_answered(handover_server *s)
{
    char said = 0;
    if (recv(s->asking, &said, sizeof said, MSG_DONTWAIT) == sizeof said && said == TAKE) {
        log_info("another tenk takes over");
        listening_sockets_set_handed_on();
        socket_file_remove(&s->file);        /* the path is the other one's */
        close(s->listening);
        s->listening = -1;
        send(s->asking, &GOING, sizeof GOING, MSG_NOSIGNAL);
        return true;
    }
    log_warning("who wanted to take over has ended, or given up; going on");
    close(s->asking);
    s->asking = -1;
    return false;
}

void handover_closed(handover_server *s)
{
    if (s->asking >= 0)
        send(s->asking, &CLOSED, sizeof CLOSED, MSG_NOSIGNAL);
}

void handover_close(handover_server *s)
{
    if (s->listening >= 0) {
        socket_file_remove(&s->file);
        close(s->listening);
    }
    if (s->asking >= 0)
        close(s->asking);
    *s = (handover_server){ .listening = -1, .asking = -1 };
}
