/* sender.c - see connection.h: bytes go out. */
#include "connection.h"
#include "server/base/blocking_wait.h"

#include <errno.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>

enum { BUFFERS = 32 };                       /* chunks in one system call */

static ssize_t sender_send(const thread_connection *c)
{
    struct iovec buffers[BUFFERS];
    struct msghdr message = { .msg_iov = buffers };
    for (const chunk *k = c->out.first; k && message.msg_iovlen < BUFFERS; k = k->next)
        buffers[message.msg_iovlen++] = (struct iovec){ (char *)k->bytes + k->sent, k->used - k->sent };
    return sendmsg(c->fd, &message, MSG_NOSIGNAL);
}

/* Of what the kernel took, the client may have taken some since the last look: there may be megabytes
 * there, more than a slow one takes in time. */
static bool sender_got_on(const thread_connection *c, int *before)
{
    int waiting = 0;
    ioctl(c->fd, SIOCOUTQ, &waiting);
    const bool on = waiting < *before;
    *before = waiting;
    return on;
}

/* Each call blocks for a quarter of the time limit (connection.c sets it), to see a slow one get on. */
void sender_push(thread_connection *c)
{
    uint64_t until = deadline_in(c->shared->config->timeouts.write);
    int waiting = INT32_MAX;

    while (c->out.first && !c->gone) {
        const ssize_t n = sender_send(c);
        if (n > 0) {
            output_sent(&c->out, (size_t)n);
            if (c->out.first)
                until = deadline_in(c->shared->config->timeouts.write);
            continue;
        }
        if (errno == EINTR)
            continue;
        if (errno != EAGAIN && errno != EWOULDBLOCK)
            c->gone = true;
        else if (sender_got_on(c, &waiting))
            until = deadline_in(c->shared->config->timeouts.write);
        else if (deadline_in(0) >= until)
            c->gone = true;
    }
    if (c->gone)
        output_free(&c->out);
}
