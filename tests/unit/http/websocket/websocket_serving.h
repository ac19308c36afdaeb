/* websocket_serving.h - a worker with websockets on a loop: what its handlers come to, and what a client sends and gets, byte by
 * byte. */
#ifndef WEBSOCKET_SERVING_H
#define WEBSOCKET_SERVING_H

#include "server/async/task.h"
#include "server/http/async/connection.h"
#include "server/http/request.h"
#include "server/http/stop_spread.h"
#include "server/http/websocket/websocket.h"
#include "tests/support/support.h"
#include "tests/unit/http/serving.h"
#include "tests/unit/suites.h"

#include <check.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define OPEN(path) "GET " path " HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" \
                   "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
/* The mask is of zeros. */
#define HI    "\x81\x82\0\0\0\0hi"
#define CLOSE "\x88\x85\0\0\0\0\x0f\xa1why"

static int      began, ended, outcome, code, received;       /* of handlers */
static promise *gate;                        /* what one waits for */

static inline async int open_websocket(request *req, websocket **ws)
{
    const int err = websocket_accept(req, "", ws);
    ck_assert_int_eq(err, 0);
    began++;
    ck_assert_uint_eq(request_deadline(req), NO_DEADLINE);
    ck_assert_int_eq(respond(req, 200, NULL, TEXT("")), UV_EALREADY);
    ck_assert_int_eq(websocket_accept(req, "", ws), UV_EALREADY);
    ck_assert_int_eq(websocket_close_code(*ws), 0);
    return 0;
}

#define SEND(c, literal) client_send((c), TEXT(literal))

static inline client open_to(const char *words)
{
    client c = client_new();
    setsockopt(c.fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));        /* each SEND is seen at once */
    client_say(&c, words);
    client_until(&c, "\r\n\r\n");
    ck_assert_int_eq(client_count(&c, "HTTP/1.1 101 "), 1);
    const size_t head = (size_t)(strstr(c.got, "\r\n\r\n") + 4 - c.got);
    memmove(c.got, c.got + head, c.length - head + 1);       /* what comes right behind it are frames */
    c.length -= head;
    return c;
}

static inline void expect_bytes(client *c, text t)
{
    client_until_length(c, t.length);
    ck_assert_uint_eq(c->length, t.length);
    ck_assert_mem_eq(c->got, t.at, t.length);
    client_forget(c);
}

#endif
