/* message.c - see message.h. */
#include "message.h"
#include "job.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <uv.h>

enum { STEP = 1 << 20 };                     /* bytes in one step: what is large must not keep a loop busy */

static const size_t HEAD = sizeof(process_header);

void process_message_expect_hello(process_message *m) { *m = (process_message){ .receiving = true }; }

void process_message_begin(process_message *m, int job, text in, arena *a)
{
    *m = (process_message){ .header = { PROCESS_MAGIC, job, in.length }, .in = in, .arena = a };
}

short process_message_events(const process_message *m) { return m->receiving ? POLLIN : POLLOUT; }

static size_t at_most(size_t length) { return length < STEP ? length : STEP; }

/* How many bytes were moved, or an error; one whose process is gone has no other. */
static ssize_t bytes_or_error(ssize_t n)
{
    if (n > 0)
        return n;
    return n < 0 && (errno == EAGAIN || errno == EINTR) ? UV_EAGAIN : UV_EOF;
}

static ssize_t message_send(process_message *m, int fd)
{
    const size_t body = m->done > HEAD ? m->done - HEAD : 0, head = m->done < HEAD ? m->done : HEAD;
    struct iovec parts[] = {
        { (char *)&m->header + head, HEAD - head },
        { (char *)m->in.at + body, at_most(m->in.length - body) },
    };
    const struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };
    return bytes_or_error(sendmsg(fd, &message, MSG_NOSIGNAL));
}

static ssize_t message_receive(process_message *m, int fd)
{
    const bool head = m->done < HEAD;
    char *at = head ? (char *)&m->header + m->done : m->bytes + (m->done - HEAD);
    const size_t left = head ? HEAD - m->done : m->header.length - (m->done - HEAD);
    return bytes_or_error(recv(fd, at, at_most(left), 0));
}

static int message_check_header(process_message *m)
{
    const process_header *h = &m->header;
    const bool may_have_body = m->arena && h->what == 0;
    if (h->magic != PROCESS_MAGIC || h->what > 0 || h->length > (may_have_body ? PROCESS_LARGEST : 0))
        return UV_EPROTO;
    if (h->length > 0)
        m->bytes = arena_room(m->arena, h->length);
    return 0;
}

static bool message_is_whole(const process_message *m)
{
    const size_t body = m->receiving ? m->header.length : m->in.length;
    return m->done >= HEAD && m->done == HEAD + body;        /* a header has no body before it has come */
}

int process_message_step(process_message *m, int fd)
{
    for (size_t moved = 0; moved < STEP;) {
        const ssize_t n = (m->receiving ? message_receive : message_send)(m, fd);
        if (n < 0)
            return (int)n;
        const bool head_before = m->done >= HEAD;
        m->done += (size_t)n;
        moved += (size_t)n;
        if (m->receiving && !head_before && m->done == HEAD) {
            const int err = message_check_header(m);
            if (err)
                return err;
        }
        if (!message_is_whole(m))
            continue;
        if (m->receiving) {
            m->err = m->header.what;
            m->out = m->bytes ? (text){ m->bytes, m->header.length } : TEXT("");
            return 0;
        }
        m->receiving = true;
        m->done = 0;
    }
    return UV_EAGAIN;
}

int process_message_listen(int fd)
{
    char byte;
    const ssize_t n = bytes_or_error(recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT));
    return n == UV_EAGAIN ? 0 : n > 0 ? UV_EPROTO : UV_EOF;
}
