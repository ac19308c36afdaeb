/* message.c - see message.h. */
#include "message.h"
#include "process_pool.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <uv.h>

enum { STEP = 1 << 20 };                     /* bytes in one step: what is large must not keep a loop busy */

static const size_t HEAD = sizeof(process_header);

void process_call_greet(process_call *c) { *c = (process_call){ .receiving = true }; }

void process_call_begin(process_call *c, int job, text in, arena *a)
{
    *c = (process_call){ .header = { PROCESS_MAGIC, job, in.length }, .in = in, .arena = a };
}

short process_call_events(const process_call *c) { return c->receiving ? POLLIN : POLLOUT; }

static size_t at_most(size_t length) { return length < STEP ? length : STEP; }

/* How many bytes were moved, or an error; one whose process is gone has no other. */
static ssize_t outcome(ssize_t n)
{
    if (n > 0)
        return n;
    return n < 0 && (errno == EAGAIN || errno == EINTR) ? UV_EAGAIN : UV_EOF;
}

static ssize_t send_some(process_call *c, int fd)
{
    const size_t body = c->done > HEAD ? c->done - HEAD : 0, head = c->done < HEAD ? c->done : HEAD;
    struct iovec parts[] = {
        { (char *)&c->header + head, HEAD - head },
        { (char *)c->in.at + body, at_most(c->in.length - body) },
    };
    const struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };
    return outcome(sendmsg(fd, &message, MSG_NOSIGNAL));
}

static ssize_t receive_some(process_call *c, int fd)
{
    const bool head = c->done < HEAD;
    char *at = head ? (char *)&c->header + c->done : c->bytes + (c->done - HEAD);
    const size_t left = head ? HEAD - c->done : c->header.length - (c->done - HEAD);
    return outcome(recv(fd, at, at_most(left), 0));
}

static int judge_header(process_call *c)
{
    const process_header *h = &c->header;
    const bool may_have_body = c->arena && h->what == 0;
    if (h->magic != PROCESS_MAGIC || h->what > 0 || h->length > (may_have_body ? PROCESS_LARGEST : 0))
        return UV_EPROTO;
    if (h->length > 0)
        c->bytes = arena_room(c->arena, h->length);
    return 0;
}

static size_t total(const process_call *c) { return HEAD + (c->receiving ? c->header.length : c->in.length); }

/* A header has no body before it has come. */
static bool is_whole(const process_call *c) { return c->done >= HEAD && c->done == total(c); }

int process_call_step(process_call *c, int fd)
{
    for (size_t moved = 0; moved < STEP;) {
        const ssize_t n = (c->receiving ? receive_some : send_some)(c, fd);
        if (n < 0)
            return (int)n;
        const bool head_before = c->done >= HEAD;
        c->done += (size_t)n;
        moved += (size_t)n;
        if (c->receiving && !head_before && c->done == HEAD) {
            const int err = judge_header(c);
            if (err)
                return err;
        }
        if (!is_whole(c))
            continue;
        if (c->receiving) {
            c->err = c->header.what;
            c->out = c->bytes ? (text){ c->bytes, c->header.length } : TEXT("");
            return 0;
        }
        c->receiving = true;
        c->done = 0;
    }
    return UV_EAGAIN;
}

int process_call_listen(int fd)
{
    char byte;
    const ssize_t n = outcome(recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT));
    return n == UV_EAGAIN ? 0 : n > 0 ? UV_EPROTO : UV_EOF;
}
