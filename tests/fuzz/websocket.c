/* websocket.c - any bytes as a websocket's frames: fed whole and in parts, to a handler that sends each message back.
 *
 * The first byte says how the rest is split, and whether messages may be compressed. However it is split, the server must
 * say the same: frames, unmasked and whole, of which a Close is the last. */
#include "server/http/request_internal.h"
#include "server/http/websocket/websocket.h"
#include "server/http/websocket/websocket_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

enum { MOST = 4096 };                        /* bytes of a message */

#define must(what) ((what) ? (void)0 : (fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #what), abort()))

static int loop_wait(websocket *ws)
{
    (void)ws;
    return UV_EAGAIN;
}

static promise *loop_sent(request *req)
{
    (void)req;
    return promise_settled(0);
}

static void loop_flush(request *req) { (void)req; }

static const config *loop_config(const request *req)
{
    static const config config = { .websocket = { .message = MOST } };
    (void)req;
    return &config;
}

static int outcome_of(promise *p)
{
    int err;
    must(promise_take_if_settled(p, &err));
    return err;
}

/* The handler, as far as it can go: false when it has come to the end. */
static bool handle(websocket *ws)
{
    websocket_message m;
    while (websocket_has_something(ws)) {
        if (outcome_of(websocket_receive(ws, &m)))
            return false;
        must(m.bytes.length <= MOST);
        (void)outcome_of(websocket_send(ws, m));
    }
    return true;
}

typedef struct outcome { size_t length; int code; char bytes[1 << 20]; } outcome;

static void feed(const char *at, size_t length, size_t step, int window, outcome *o)
{
    static const websocket_host websocket_host = {
        .wait = loop_wait, .look = loop_wait, .sent = loop_sent, .flush = loop_flush, .config = loop_config,
    };
    static const request_host host = { .websocket = &websocket_host };
    output out = { 0 };
    request req = { .out = &out, .answered = true, .upgraded = true };
    request_host_here = &host;
    websocket ws = { .req = &req, .window = (uint8_t)window };
    size_t there = 0, used = 0;
    bool goes_on = true;
    while (goes_on && there < length) {
        there = length - there < step ? length : there + step;
        for (size_t taken = 1; goes_on && taken > 0; used += taken) {
            taken = used < there ? websocket_take(&ws, at + used, there - used) : 0;
            must(taken <= there - used);
            goes_on = handle(&ws);
        }
    }
    o->code = websocket_close_code(&ws);
    must(goes_on == !o->code);
    (void)websocket_end(&ws, 0);
    websocket_free(&ws);
    o->length = 0;
    for (const chunk *c = out.first; c; c = c->next) {
        must(o->length + c->used <= sizeof o->bytes);
        memcpy(o->bytes + o->length, chunk_left(c).at, c->used);
        o->length += c->used;
    }
    output_free(&out);
}

/* Each frame is a whole message, or one of control; the last one is a Close. */
static void look_at(const outcome *o, int window)
{
    size_t at = 0;
    int kind = 0;
    while (at < o->length) {
        const unsigned char *p = (const unsigned char *)o->bytes + at;
        must(kind != FRAME_CLOSE && o->length - at >= 2 && p[0] & 0x80 && !(p[0] & 0x30) && p[1] < 127);
        must(!(p[0] & 0x40) || window);
        kind = p[0] & 0xf;
        must(kind == FRAME_TEXT || kind == FRAME_BINARY || kind == FRAME_CLOSE || kind == FRAME_PONG);
        at += p[1] < 126 ? 2u + p[1] : 4u + (size_t)(p[2] << 8 | p[3]);
    }
    must(at == o->length && kind == FRAME_CLOSE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static outcome whole, parts;
    if (size < 1)
        return 0;
    const int window = data[0] & 1 ? 12 : 0;
    const char *const at = (const char *)data + 1;
    feed(at, size - 1, size, window, &whole);
    look_at(&whole, window);
    feed(at, size - 1, 1 + data[0] / 2 % 32, window, &parts);
    must(whole.code == parts.code && whole.length == parts.length && memcmp(whole.bytes, parts.bytes, whole.length) == 0);
    return 0;
}
