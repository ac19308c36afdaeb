/* websocket_fixture.h - a client that opens a websocket, of a loop and of a thread. */
#ifndef WEBSOCKET_FIXTURE_H
#define WEBSOCKET_FIXTURE_H

#include "tests/unit/http/serving.h"
#include "tests/unit/http/threads/thread_serving.h"

#include <check.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#define OPEN_WITH(path, headers) "GET " path " HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" \
                   "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" headers "\r\n"
#define OPEN(path) OPEN_WITH(path, "")
#define ACCEPTED "HTTP/1.1 101 Switching Protocols\r\n"
/* The mask is of zeros. */
#define HI    "\x81\x82\0\0\0\0hi"
#define CLOSE "\x88\x82\0\0\0\0\x03\xe8"

static inline client open_to(const char *words)
{
    client c = client_new();
    setsockopt(c.fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
    client_say(&c, words);
    client_until(&c, "\r\n\r\n");
    client_forget(&c);
    return c;
}

static inline void thread_send(int client, text t)
{
    ck_assert_int_eq(send(client, t.at, t.length, MSG_NOSIGNAL), (ssize_t)t.length);
}

/* Reads the whole answer to the handshake. */
static inline void thread_read_head(int client)
{
    char last[4] = "";
    thread_serving_until(client, TEXT(ACCEPTED));
    while (memcmp(last, "\r\n\r\n", 4) != 0) {
        memmove(last, last + 1, 3);
        ck_assert_int_eq(recv(client, last + 3, 1, 0), 1);
    }
}

static inline int thread_open_to(const char *words)
{
    const int client = thread_serving_client();
    thread_send(client, text_of(words));
    thread_read_head(client);
    return client;
}

#endif
