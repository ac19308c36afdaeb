/* websocket.c - see websocket.h: between frames, which are wslay's, and a handler's messages.
 *
 * wslay gets one frame at a time, and a Close not before the handler has done with the last message: it is answered at
 * once, and then nothing can be sent. What wslay answers leaves each time, so that it holds none. Messages are gathered
 * here and not by wslay, which would allocate what a frame's head says, before any of it has come. */
#include "websocket.h"
#include "websocket_internal.h"
#include "handshake.h"
#include "server/http/request_internal.h"
#include "server/http/request.h"
#include "server/base/memory.h"
#include "server/base/overload/refusal.h"

#include <uv.h>
#include <wslay/wslay.h>

enum { LENGTH_IN_2 = 126, LENGTH_IN_8 = 127 };               /* in place of a frame's length: bytes that follow and have it */
enum { FRAGMENTS = 4096 };                   /* of one message, at most: more are not worth the work */

typedef struct message {
    size_t length, capacity;
    bool   binary;
    char   bytes[];
} message;

struct websocket {
    request              *req;
    const websocket_host *host;
    wslay_event_context_ptr wslay;
    text                  protocol;
    size_t                largest;           /* bytes of a message */
    text                  coming;            /* what wslay may read now */
    message              *partial;           /* of which frames are still to come */
    message              *whole;             /* one that has not been received */
    message              *lent;              /* the one that the handler has */
    websocket_message    *to;                /* where the handler that receives wants the next */
    promise              *waiting;
    uint64_t              closed_at;         /* uv_hrtime when the server closed */
    size_t                rest;              /* bytes of the frame that wslay has begun to read, as far as is known */
    int                   fragments;         /* of partial */
    bool                  data;              /* the frame that is read is one of partial's, not of control */
    bool                  pinged;            /* and nothing has come since */
    bool                  closed;            /* the server has sent Close */
    bool                  closed_by_client;
    bool                  over;              /* UV_EOF, behind the messages; then it is closed, too */
    uint16_t              code;              /* of what made it so */
    uint8_t               reason_length;
    char                  reason[WEBSOCKET_REASON];
};

/* Its end. */

static void websocket_drop(websocket *ws)
{
    mem_free(ws->lent);
    ws->lent = NULL;
}

static void websocket_free(void *arg)
{
    websocket *ws = arg;
    mem_free(ws->partial);
    mem_free(ws->whole);
    websocket_drop(ws);
    wslay_event_context_free(ws->wslay);
}

static void websocket_over(websocket *ws, int code, text reason)
{
    if (ws->over)
        return;
    ws->over = true;
    ws->code = (uint16_t)code;
    ws->reason_length = (uint8_t)reason.length;
    if (reason.length > 0)
        memcpy(ws->reason, reason.at, reason.length);
}

static void websocket_queue_close(websocket *ws, int code, text reason)
{
    ws->closed = true;
    ws->closed_at = uv_hrtime();
    wslay_event_queue_close(ws->wslay, (uint16_t)code, (const uint8_t *)reason.at, reason.length);
}

/* The client has broken a rule. */
static void websocket_fail(websocket *ws, int code)
{
    websocket_queue_close(ws, code, TEXT(""));
    wslay_event_shutdown_read(ws->wslay);
    websocket_over(ws, code, TEXT(""));
}

/* wslay's callbacks. */

static ssize_t websocket_on_read(wslay_event_context_ptr wslay, uint8_t *to, size_t most, int flags, void *arg)
{
    websocket *ws = arg;
    const size_t n = ws->coming.length < most ? ws->coming.length : most;
    (void)flags;
    if (n == 0) {
        wslay_event_set_error(wslay, WSLAY_ERR_WOULDBLOCK);
        return -1;
    }
    memcpy(to, ws->coming.at, n);
    ws->coming = (text){ ws->coming.at + n, ws->coming.length - n };
    return (ssize_t)n;
}

static ssize_t websocket_on_write(wslay_event_context_ptr wslay, const uint8_t *bytes, size_t length, int flags, void *arg)
{
    const websocket *ws = arg;
    (void)wslay;
    (void)flags;
    output_append(ws->req->out, (text){ (const char *)bytes, length });
    return (ssize_t)length;
}

static void websocket_on_frame(wslay_event_context_ptr wslay, const struct wslay_event_on_frame_recv_start_arg *frame, void *arg)
{
    websocket *ws = arg;
    (void)wslay;
    ws->data = !wslay_is_ctrl_frame(frame->opcode);
    if (frame->payload_length >= LENGTH_IN_2)
        ws->rest = (size_t)frame->payload_length - 1;        /* it has had the first byte of it */
    if (!ws->data) {
        if (frame->opcode == WSLAY_CONNECTION_CLOSE && frame->payload_length == 1)   /* half a code */
            websocket_fail(ws, WEBSOCKET_PROTOCOL_ERROR);
        return;
    }
    if (!ws->partial) {
        ws->partial = mem_alloc(sizeof *ws->partial);
        ws->partial->binary = frame->opcode == WSLAY_BINARY_FRAME;
        ws->fragments = 0;
    }
    if (frame->payload_length > ws->largest - ws->partial->length)
        websocket_fail(ws, WEBSOCKET_TOO_BIG);
    else if (++ws->fragments > FRAGMENTS)
        websocket_fail(ws, WEBSOCKET_POLICY);
}

static void websocket_on_bytes(wslay_event_context_ptr wslay, const struct wslay_event_on_frame_recv_chunk_arg *chunk, void *arg)
{
    enum { LARGE = 128 * 1024 };
    websocket *ws = arg;
    message *m = ws->partial;
    (void)wslay;
    if (!ws->data || ws->over)
        return;
    const size_t length = m->length + chunk->data_length;
    if (length > m->capacity) {
        const size_t capacity = length + m->capacity;
        if (capacity > LARGE ? !mem_has(2 * capacity) : mem_is_short()) {
            websocket_fail(ws, WEBSOCKET_TRY_AGAIN);
            return;
        }
        m = ws->partial = mem_resize(m, sizeof *m + capacity);
        m->capacity = capacity;
    }
    if (chunk->data_length > 0)
        memcpy(m->bytes + m->length, chunk->data, chunk->data_length);
    m->length = length;
}

static void websocket_on_message(wslay_event_context_ptr wslay, const struct wslay_event_on_msg_recv_arg *m, void *arg)
{
    websocket *ws = arg;
    (void)wslay;
    if (ws->over)
        return;
    if (m->opcode == WSLAY_CONNECTION_CLOSE) {
        const bool coded = m->msg_length >= 2;
        ws->closed = ws->closed_by_client = true;            /* wslay answers with another, if none has been sent */
        websocket_over(ws, coded ? m->status_code : WEBSOCKET_NO_CODE,
                       coded ? (text){ (const char *)m->msg + 2, m->msg_length - 2 } : TEXT(""));
    } else if (!wslay_is_ctrl_frame(m->opcode)) {
        ws->whole = ws->partial;
        ws->partial = NULL;
    }
}

/* False if there is no memory for another context; then ws keeps the one that it had. */
static bool websocket_open(websocket *ws)
{
    static const struct wslay_event_callbacks callbacks = {
        .recv_callback = websocket_on_read, .send_callback = websocket_on_write,
        .on_frame_recv_start_callback = websocket_on_frame, .on_frame_recv_chunk_callback = websocket_on_bytes,
        .on_msg_recv_callback = websocket_on_message,
    };
    wslay_event_context_ptr made;
    if (wslay_event_context_server_init(&made, &callbacks, ws))
        return false;
    wslay_event_config_set_no_buffering(made, 1);
    wslay_event_context_free(ws->wslay);
    ws->wslay = made;
    return true;
}

/* Bytes that are no frames at all wslay would answer with a Close without a code. */
static void websocket_fail_anew(websocket *ws)
{
    websocket_open(ws);
    websocket_fail(ws, WEBSOCKET_PROTOCOL_ERROR);
}

/* From here on, what serves it. */

request *websocket_request(const websocket *ws) { return ws->req; }
void     websocket_wait(websocket *ws, promise *p) { ws->waiting = p; }
bool     websocket_is_waited_for(const websocket *ws) { return ws->waiting; }
bool     websocket_is_over(const websocket *ws) { return ws->over; }
bool     websocket_is_closing(const websocket *ws) { return ws->closed && !ws->closed_by_client; }
uint64_t websocket_closed_at(const websocket *ws) { return ws->closed_at; }
bool     websocket_was_closed_by_client(const websocket *ws) { return ws->closed_by_client; }

void websocket_wake(websocket *ws, int err)
{
    promise *p = ws->waiting;
    ws->waiting = NULL;
    if (p)
        promise_settle(p, err);
}

bool websocket_wants(const websocket *ws) { return ws->over || !ws->whole; }

/* How many bytes wslay may be given of the frame that begins there: all of it, or as many as tell it the length, and one
 * more. 0: not yet. wslay checks the text in a Close only if it sees the frame as a whole. */
static size_t websocket_begin_frame(const websocket *ws, text t)
{
    enum { HEAD = 2, MASK = 4, CONTROL = 0x8, KIND = 0xf, LENGTH = 0x7f };
    if (t.length < HEAD || ((t.at[0] & KIND) == WSLAY_CONNECTION_CLOSE && ws->lent))
        return 0;
    const size_t length = t.at[1] & LENGTH;
    if (length == LENGTH_IN_2 || length == LENGTH_IN_8)
        return HEAD + (length == LENGTH_IN_2 ? 2 : 8) + MASK + 1;
    return t.at[0] & CONTROL && t.length < HEAD + MASK + length ? 0 : HEAD + MASK + length;
}

/* wslay reads what is coming, and its answers leave. */
static void websocket_read(websocket *ws)
{
    const bool failed = wslay_event_recv(ws->wslay);
    if (failed && !ws->over)
        websocket_fail_anew(ws);
    if (!ws->req->gone)
        wslay_event_send(ws->wslay);
    if (wslay_event_get_read_enabled(ws->wslay) || ws->over)
        return;
    ws->closed = true;                       /* wslay has found what breaks a rule */
    ws->closed_at = uv_hrtime();
    websocket_over(ws, wslay_event_get_status_code_sent(ws->wslay), TEXT(""));
}

size_t websocket_take(websocket *ws, const char *at, size_t length)
{
    size_t taken = 0;
    ws->pinged = false;
    while (taken < length && !ws->whole && !ws->over) {
        if (ws->rest == 0)
            ws->rest = websocket_begin_frame(ws, (text){ at + taken, length - taken });
        const size_t n = ws->rest < length - taken ? ws->rest : length - taken;
        if (n == 0)
            break;
        ws->rest -= n;
        ws->coming = (text){ at + taken, n };
        taken += n;
        websocket_read(ws);
    }
    return ws->over ? length : taken;
}

bool websocket_hand_over(websocket *ws, int *err)
{
    if (!ws->whole && !ws->over)
        return false;
    *err = ws->whole ? 0 : UV_EOF;
    if (!ws->whole)
        return true;
    ws->lent = ws->whole;
    ws->whole = NULL;
    *ws->to = (websocket_message){ { ws->lent->bytes, ws->lent->length }, ws->lent->binary };
    return true;
}

bool websocket_ping(websocket *ws)
{
    static const struct wslay_event_msg ping = { .opcode = WSLAY_PING };
    if (ws->pinged)
        return false;
    ws->pinged = true;
    if (wslay_event_queue_msg(ws->wslay, &ping) == 0 && !ws->req->gone)
        wslay_event_send(ws->wslay);
    return true;
}

static void websocket_begin_close(websocket *ws, int code, text reason)
{
    if (ws->closed || ws->req->gone)
        return;
    websocket_queue_close(ws, code, reason);
    wslay_event_send(ws->wslay);
}

void websocket_going_away(websocket *ws) { websocket_begin_close(ws, WEBSOCKET_GOING_AWAY, TEXT("")); }

int websocket_end(websocket *ws, int err)
{
    if (err == UV_EOF)
        err = 0;
    websocket_begin_close(ws, err ? WEBSOCKET_INTERNAL_ERROR : WEBSOCKET_NORMAL, TEXT(""));
    return err;
}

/* And the handler. */

int websocket_accept(request *req, const char *protocols, websocket **out)
{
    char digest[WEBSOCKET_ACCEPT];
    if (req->answered)
        return UV_EALREADY;
    int err = websocket_handshake_check(req);
    if (!err)
        err = websocket_handshake_digest(request_list(req, "sec-websocket-key"), digest);
    if (err)
        return err;
    const text names = text_of(arena_copy(&req->arena, text_of(protocols)));
    websocket *ws = arena_alloc(&req->arena, sizeof *ws);
    *ws = (websocket){ .req = req, .host = req->host->websocket, .largest = req->host->websocket->largest(req),
                       .protocol = websocket_handshake_protocol(names, request_list(req, "sec-websocket-protocol")) };
    if (!websocket_open(ws))
        return refuse(REFUSED_MEMORY, 0);
    arena_defer(&req->arena, websocket_free, ws);
    request_switch(req, ws, (text){ digest, sizeof digest }, ws->protocol);
    *out = ws;
    return 0;
}

text websocket_protocol(const websocket *ws) { return ws->protocol; }

promise *websocket_receive(websocket *ws, websocket_message *m)
{
    int err;
    websocket_drop(ws);
    if (ws->req->gone)
        return promise_settled(UV_ECANCELED);
    ws->to = m;
    return websocket_hand_over(ws, &err) ? promise_settled(err) : ws->host->receive(ws);
}

promise *websocket_send(websocket *ws, websocket_message m)
{
    const struct wslay_event_msg frame = { m.binary ? WSLAY_BINARY_FRAME : WSLAY_TEXT_FRAME, (const uint8_t *)m.bytes.at,
                                           m.bytes.length };
    if (ws->req->gone)
        return promise_settled(UV_ECANCELED);
    if (ws->closed)
        return promise_settled(UV_EOF);
    if (wslay_event_queue_msg(ws->wslay, &frame) || wslay_event_send(ws->wslay))
        return promise_settled(UV_ENOMEM);
    return ws->host->sent(ws->req);
}

static bool code_may_be_sent(int code)
{
    return (code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006) || (code >= 3000 && code <= 4999);
}

promise *websocket_close(websocket *ws, int code, text reason)
{
    if (!code_may_be_sent(code) || reason.length > WEBSOCKET_REASON)
        return promise_settled(UV_EINVAL);
    if (ws->req->gone)
        return promise_settled(UV_ECANCELED);
    if (ws->closed)
        return promise_settled(0);
    websocket_begin_close(ws, code, reason);
    return ws->host->sent(ws->req);
}

int  websocket_close_code(const websocket *ws) { return ws->over ? ws->code : 0; }
text websocket_close_reason(const websocket *ws) { return (text){ ws->reason, ws->reason_length }; }
