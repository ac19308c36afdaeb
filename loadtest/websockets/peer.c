/* peer.c - see peer.h; RFC 6455 as far as a load needs it: a server's frames are whole messages. */
#include "peer.h"
#include "../openloop/fail.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TEXT_FRAME = 0x1, BINARY_FRAME = 0x2, CLOSE = 0x8, PING = 0x9 };

static int peer_connect(int port, int buffer)
{
    const struct sockaddr_in address = { .sin_family = AF_INET,
                                         .sin_port = htons((uint16_t)port),
                                         .sin_addr = { htonl(INADDR_LOOPBACK) } };
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd >= 0 && buffer > 0)               /* before it connects, for the window is agreed on then */
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof address))
        fail("connect: %s", strerror(errno));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
    /* A reset instead of a goodbye, or ten thousand ports would be missing in the next run. */
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){ .l_onoff = 1 }, sizeof(struct linger));
    return fd;
}

void peer_open(peer *p, int port, const char *path, bool stream, int buffer)
{
    static const char upgrade[] = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                                  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    char text[4096];
    *p = (peer){ .fd = peer_connect(port, buffer), .stream = stream };
    const int length = snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n%s\r\n", path, port,
                                stream ? "Accept: text/event-stream\r\n" : upgrade);
    if (length >= (int)sizeof text)
        fail("the path is too long");
    peer_send(p, text, (size_t)length);
    for (;;) {                               /* what follows the head stays in the kernel */
        const ssize_t n = recv(p->fd, text, sizeof text - 1, MSG_PEEK);
        if (n <= 0)
            fail("GET %s was not answered", path);
        text[n] = '\0';
        const char *end = strstr(text, "\r\n\r\n");
        if (strncmp(text, stream ? "HTTP/1.1 200 " : "HTTP/1.1 101 ", 13) != 0 || (!end && n == sizeof text - 1))
            fail("GET %s was answered with %.60s", path, text);
        if (!end)
            continue;
        if (recv(p->fd, text, (size_t)(end + 4 - text), 0) != end + 4 - text)
            fail("recv: %s", strerror(errno));
        return;
    }
}

void peer_send(peer *p, const char *frames, size_t length)
{
    if (send(p->fd, frames, length, MSG_NOSIGNAL) != (ssize_t)length)
        fail("send: %s", strerror(errno));
}

size_t peer_frame(char *to, const char *at, size_t length)
{
    static const char mask[4] = { 0x37, (char)0xfa, 0x21, 0x3d };
    size_t head = 0;
    to[head++] = (char)(0x80 | TEXT_FRAME);
    if (length < 126)
        to[head++] = (char)(0x80 | length);
    else if (length <= UINT16_MAX) {
        to[head++] = (char)(0x80 | 126);
        to[head++] = (char)(length >> 8);
        to[head++] = (char)length;
    } else
        fail("a message of %zu bytes", length);
    memcpy(to + head, mask, sizeof mask);
    head += sizeof mask;
    for (size_t i = 0; i < length; i++)
        to[head + i] = at[i] ^ mask[i % sizeof mask];
    return head + length;
}

/* The first frame of bytes that is whole: how long it is, with its head; 0: more must come. */
static size_t peer_whole(const uint8_t *at, size_t length, size_t *head)
{
    if (length < 2)
        return 0;
    const size_t kind = at[1];               /* a server does not mask */
    *head = kind < 126 ? 2 : kind == 126 ? 4 : 10;
    if (length < *head)
        return 0;
    uint64_t payload = kind < 126 ? kind : 0;
    for (size_t i = 2; i < *head; i++)
        payload = payload << 8 | at[i];
    return payload <= length - *head ? *head + (size_t)payload : 0;
}

/* Events end with an empty line; chunks are left as they are, for an event is in one of them. */
static size_t peer_take_events(peer *p, const char *at, size_t length, on_message *done)
{
    static const char end[] = "\n\n";
    size_t whole = length;
    while (whole >= 2 && memcmp(at + whole - 2, end, 2) != 0)
        whole--;
    if (whole < 2)
        return 0;
    done(p, at, whole);
    return whole;
}

static size_t peer_take_frames(peer *p, const char *at, size_t length, on_message *done)
{
    size_t left = length, head, size;
    while ((size = peer_whole((const uint8_t *)at, left, &head))) {
        const int kind = at[0] & 0xf;
        if (!(at[0] & 0x80) || kind == CLOSE)
            fail("a frame 0x%02x of the server", (unsigned char)at[0]);
        if (kind == PING)
            peer_send(p, "\x8a\x80\0\0\0\0", 6);
        else if (kind == TEXT_FRAME || kind == BINARY_FRAME)
            done(p, at + head, size - head);
        at += size;
        left -= size;
    }
    return length - left;
}

void peer_read(peer *p, on_message *done)
{
    static char input[256 * 1024];
    if (p->held > 0)
        memcpy(input, p->bytes, p->held);
    const ssize_t n = recv(p->fd, input + p->held, sizeof input - p->held, MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0)
        fail("the server closed a websocket or a stream");

    const size_t length = p->held + (size_t)n;
    const size_t taken = (p->stream ? peer_take_events : peer_take_frames)(p, input, length, done);
    const size_t left = length - taken;
    if (left == sizeof input)
        fail("a message is too long");
    if (left != p->held || taken > 0) {
        p->bytes = left > 0 ? realloc(p->bytes, left) : (free(p->bytes), NULL);
        if (left > 0)
            memcpy(p->bytes, input + taken, left);
        p->held = left;
    }
}
