/* sockets.c - the floor below websockets and streams of events: frames by hand, and no more of RFC 6455 than the load speaks.
 *
 *   sockets PORT
 *
 * /ws/echo, and what is below it, sends each message back; at any other /ws/ path each message goes to all that are there;
 * /events/ is a stream of which nothing comes. What a read asks for leaves in one send, and what a turn does for all, in one
 * send for each. Who does not take it gets no more: a floor has no room to keep anything in. */
#include "floor.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct member { /* of those that get what any of them sends; or one who gets its own back */
    source source;
    bool shares, stalled;
    struct member *next, **link;
    size_t held; /* bytes of a frame whose rest is to come */
    char *bytes;
} member;

enum { ROOM = 256 * 1024, MASK = 4, FIN = 0x80, CLOSE = 0x8 };
static member *members;
static char input[ROOM], back[ROOM], for_all[ROOM];
static size_t for_all_length;

static void leave(member *m)
{
    close(m->source.fd);
    if (m->link) {
        *m->link = m->next;
        if (m->next)
            m->next->link = m->link;
    }
    free(m->bytes);
    free(m);
}

/* The frame in front, as one that a server sends: how many bytes it took; 0: more must come. */
static size_t take(const char *at, size_t length, char *out, size_t *out_length)
{
    const uint8_t *frame = (const uint8_t *)at;
    if (length < 2)
        return 0;
    size_t payload = frame[1] & 0x7f, head = 2;
    if (payload == 126) {
        if (length < 4)
            return 0;
        payload = (size_t)frame[2] << 8 | frame[3];
        head = 4;
    } else if (payload == 127)
        floor_die("a frame is too long");
    if (length < head + MASK + payload)
        return 0;
    memcpy(out, frame, head);
    out[1] &= 0x7f;
    uint64_t mask = 0;
    memcpy(&mask, frame + head, MASK);
    mask |= mask << 32;
    const char *from = at + head + MASK;
    size_t i = 0;
    for (uint64_t eight; i + sizeof eight <= payload; i += sizeof eight) {
        memcpy(&eight, from + i, sizeof eight);
        eight ^= mask;
        memcpy(out + head + i, &eight, sizeof eight);
    }
    for (; i < payload; i++)
        out[head + i] = (char)(from[i] ^ (char)(mask >> 8 * (i % MASK)));
    *out_length += head + payload;
    return head + MASK + payload;
}

static void on_frames(source *s)
{
    member *m = (member *)s;
    memcpy(input, m->bytes, m->held);
    const ssize_t n = recv(s->fd, input + m->held, ROOM / 2 - m->held, 0);
    if (n <= 0) {
        if (n == 0 || errno != EAGAIN)
            leave(m);
        return;
    }
    const char *at = input;
    size_t left = m->held + (size_t)n, taken, length = 0;
    char *const out = m->shares ? for_all : back;
    size_t *const out_length = m->shares ? &for_all_length : &length;
    if (m->shares && for_all_length > ROOM / 2)
        floor_die("too much in one turn");
    while ((taken = take(at, left, out + *out_length, out_length))) {
        if ((at[0] & 0xf) == CLOSE) {
            leave(m);
            return;
        }
        at += taken;
        left -= taken;
    }
    if (length > 0 && send(s->fd, back, length, MSG_NOSIGNAL) != (ssize_t)length && errno != EPIPE && errno != ECONNRESET)
        floor_die("a send fell short");
    if (left > 0) {
        m->bytes = realloc(m->bytes, left);
        memcpy(m->bytes, at, left);
    }
    m->held = left;
}

static void tell_all(void)
{
    if (for_all_length == 0)
        return;
    for (member *m = members; m; m = m->next)
        if (!m->stalled && send(m->source.fd, for_all, for_all_length, MSG_NOSIGNAL) != (ssize_t)for_all_length)
            m->stalled = true;
    for_all_length = 0;
}

void floor_answer(client *c, const char *path)
{
    /* What belongs to the key of the load, which is that of RFC 6455's example. */
    static const char upgrade[] = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                                  "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
    static const char stream[] = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";
    const bool events = strncmp(path, "/events/", 8) == 0;
    member *m = calloc(1, sizeof *m);
    if (!m)
        floor_die("out of memory");
    m->source.ready = on_frames;
    m->shares = !events && strncmp(path, "/ws/echo", 8) != 0;
    if (m->shares) {
        m->next = members;
        m->link = &members;
        if (members)
            members->link = &m->next;
        members = m;
    }
    floor_reply(events ? stream : upgrade, (events ? sizeof stream : sizeof upgrade) - 1);
    floor_switch(c, &m->source);
}

int main(int argc, char *argv[])
{
    if (argc != 2)
        floor_die("sockets PORT");
    floor_run(atoi(argv[1]), tell_all, NULL);
}
