/* websocket.c - see websocket.h: between frames (frame.h) and a handler's messages.
 *
 * An idle one has neither a reader nor a message. What ends it is said when the handler has done with the last message
 * before: it may want to answer that, and after a Close nothing can be sent. */
#include "websocket.h"
#include "websocket_state.h"
#include "deflate.h"
#include "handshake.h"
#include "server/http/request_internal.h"
#include "server/http/request.h"
#include "server/base/memory.h"

#include <uv.h>

/* Its end. */

static ending *websocket_ending(websocket *ws)
{
    if (!ws->ending)
        ws->ending = mem_alloc(sizeof *ws->ending);
    return ws->ending;
}

static void websocket_send_close(websocket *ws, int code, text reason)
{
    char bytes[FRAME_CONTROL_MOST] = { (char)(code >> 8), (char)code };
    memcpy(bytes + 2, reason.at, reason.length);
    ws->closed = true;
    websocket_ending(ws)->closed_at = uv_hrtime();
    frame_write(ws->req->out, FRAME_CLOSE, false, (text){ bytes, code == WEBSOCKET_NO_CODE ? 0 : 2 + reason.length });
}

/* It is over, and says so, now or when the handler has done with the message that it has. */
static void websocket_say_over(websocket *ws)
{
    if (ws->over && !ws->closed && !ws->lent && !ws->req->gone)
        websocket_send_close(ws, ws->ending->code, websocket_close_reason(ws));
}

static void websocket_over(websocket *ws, int code, text reason)
{
    if (ws->over)
        return;
    ending *e = websocket_ending(ws);
    ws->over = true;
    e->code = (uint16_t)code;
    e->reason_length = (uint8_t)reason.length;
    memcpy(e->reason, reason.at, reason.length);
    websocket_say_over(ws);
}

/* The client has broken a rule. */
static void websocket_fail(websocket *ws, int code) { websocket_over(ws, code, TEXT("")); }

void websocket_drop(websocket *ws)
{
    if (websocket_is_answering(ws))
        return;
    message_free(ws->lent);
    ws->lent = NULL;
    if (!ws->over || ws->closed || ws->req->gone)
        return;
    websocket_say_over(ws);
    request_host_here->websocket->flush(ws->req);
}

/* What comes. */

static size_t websocket_most(const websocket *ws) { return request_host_here->websocket->config(ws->req)->websocket.message; }

static void websocket_on_frame(void *arg, frame_kind kind, bool compressed, uint64_t length)
{
    websocket *ws = arg;
    const int code = message_begin_frame(&ws->coming, kind, compressed, length, websocket_most(ws));
    if (code)
        websocket_fail(ws, code);
}

static void websocket_on_bytes(void *arg, text bytes)
{
    websocket *ws = arg;
    const int code = ws->over ? 0 : message_append(&ws->coming, bytes);
    if (code)
        websocket_fail(ws, code);
}

static void websocket_on_message(void *arg)
{
    websocket *ws = arg;
    const int code = ws->over ? 0 : message_finish(ws->coming, websocket_most(ws));
    if (!code)
        return;
    websocket_fail(ws, code);
    ws->coming->whole = false;               /* it is not for the handler */
}

static void websocket_on_control(void *arg, frame_kind kind, text bytes)
{
    websocket *ws = arg;
    if (kind == FRAME_PING && !ws->closed && !ws->req->gone)
        frame_write(ws->req->out, FRAME_PONG, false, bytes);
    if (kind != FRAME_CLOSE || ws->over)
        return;
    if (bytes.length == 1) {                 /* half of a code */
        websocket_fail(ws, WEBSOCKET_PROTOCOL_ERROR);
        return;
    }
    const bool coded = bytes.length > 0;
    ws->closed_by_client = true;
    websocket_over(ws, coded ? (unsigned char)bytes.at[0] << 8 | (unsigned char)bytes.at[1] : WEBSOCKET_NO_CODE,
                   coded ? (text){ bytes.at + 2, bytes.length - 2 } : TEXT(""));
}

/* A reader, if there is none yet, reads a frame, or a part of one. It stays with a message that goes on. */
static void websocket_read(websocket *ws, text bytes)
{
    static const frame_events events = { websocket_on_frame, websocket_on_bytes, websocket_on_message, websocket_on_control };
    frame_reader *r = ws->coming ? ws->coming->reader : frame_reader_get(&events, ws, ws->window);
    const int code = r ? frame_reader_read(r, bytes) : WEBSOCKET_TRY_AGAIN;
    if (code)
        websocket_fail(ws, code);
    if (ws->coming)
        ws->coming->reader = ws->coming->whole ? NULL : r;
    if (r && !(ws->coming && ws->coming->reader))
        frame_reader_put(r);
}

/* From here on, what serves it. */

request *websocket_request(const websocket *ws) { return ws->req; }
struct subscription **websocket_followed(websocket *ws) { return &ws->followed; }
bool     websocket_is_over(const websocket *ws) { return ws->over; }
bool     websocket_is_closing(const websocket *ws) { return ws->closed && !ws->closed_by_client; }
uint64_t websocket_closed_at(const websocket *ws) { return ws->ending ? ws->ending->closed_at : 0; }

bool websocket_wants(const websocket *ws) { return ws->over || !websocket_has_message(ws); }

size_t websocket_take(websocket *ws, const char *at, size_t length)
{
    size_t taken = 0;
    ws->pinged = false;
    while (taken < length && !websocket_has_message(ws) && !ws->over) {
        const text there = { at + taken, length - taken };
        const size_t rest = ws->coming ? ws->coming->rest : 0;
        const size_t n = rest == 0 ? frame_first_part(there) : rest < there.length ? rest : there.length;
        if (n == 0)
            break;
        taken += n;
        websocket_read(ws, (text){ there.at, n });
    }
    return ws->over ? length : taken;
}

bool websocket_ping(websocket *ws)
{
    if (ws->pinged)
        return false;
    ws->pinged = true;
    if (!ws->req->gone)
        frame_write(ws->req->out, FRAME_PING, false, TEXT(""));
    return true;
}

/* If it is over that has been said, or is about to be. */
bool websocket_may_send(const websocket *ws) { return !ws->closed && !ws->over && !ws->req->gone; }

void websocket_begin_close(websocket *ws, int code, text reason)
{
    if (websocket_may_send(ws))
        websocket_send_close(ws, code, reason);
}

void websocket_going_away(websocket *ws) { websocket_begin_close(ws, WEBSOCKET_GOING_AWAY, TEXT("")); }

int websocket_end(websocket *ws, int err)
{
    if (err == UV_EOF)
        err = 0;
    websocket_drop(ws);
    websocket_begin_close(ws, err ? WEBSOCKET_INTERNAL_ERROR : WEBSOCKET_NORMAL, TEXT(""));
    return err;
}

void websocket_free(websocket *ws)
{
    message_free(ws->coming);
    message_free(ws->lent);
    mem_free(ws->ending);
    shard_add(SHARD_WEBSOCKETS, -1);
}

void websocket_trim(void)
{
    frame_trim();
    deflate_trim();
    websocket_handshake_trim();
}

/* And the handler. */

int websocket_accept(request *req, const char *protocols, websocket **out)
{
    char digest[WEBSOCKET_ACCEPT], extension[DEFLATE_ANSWER] = "";
    if (req->answered)
        return UV_EALREADY;
    int err = websocket_handshake_check(req);
    if (!err)
        err = websocket_handshake_digest(request_list(req, "sec-websocket-key"), digest);
    if (err)
        return err;
    const text protocol = websocket_handshake_protocol(text_of(protocols), request_list(req, "sec-websocket-protocol"));
    websocket *ws = arena_alloc(&req->arena, sizeof *ws);
    ws->req = req;
    if (request_host_here->websocket->config(req)->websocket.compression)
        ws->window = (uint8_t)deflate_negotiate(request_list(req, "sec-websocket-extensions"), extension);
    const bool stops = !req->keep_alive;     /* the server does: a client that asks for the end has been refused */
    request_switch(req, ws, (text){ digest, sizeof digest }, protocol, text_of(extension));
    request_answer_so_far(req)->protocol = protocol.length > 0 ? arena_copy(&req->arena, protocol) : "";
    if (stops)
        websocket_going_away(ws);
    request_host_here->websocket->begun(req);
    *out = ws;
    return 0;
}

text websocket_protocol(const websocket *ws) { return text_of(request_answer_so_far(ws->req)->protocol); }

/* Sending. */

bool websocket_compresses(const websocket *ws, size_t length)
{
    return ws->window && length >= DEFLATE_LEAST && length <= DEFLATE_MOST;
}

promise *websocket_send(websocket *ws, websocket_message m)
{
    enum { LARGE = 128 * 1024 };             /* bytes that memory is looked at for */
    if (ws->req->gone)
        return promise_settled(UV_ECANCELED);
    if (ws->closed)
        return promise_settled(UV_EOF);
    if (m.bytes.length > LARGE && !mem_has(m.bytes.length))
        return promise_settled(UV_ENOMEM);
    const bool worth = websocket_compresses(ws, m.bytes.length);
    const text packed = worth ? deflate_message(m.bytes, ws->window) : (text){ 0 };
    const int err = frame_write(ws->req->out, m.binary ? FRAME_BINARY : FRAME_TEXT, packed.at, packed.at ? packed : m.bytes);
    mem_free((void *)packed.at);
    if (err)
        return promise_settled(err);
    return request_host_here->websocket->sent(ws->req);
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
    websocket_drop(ws);
    websocket_begin_close(ws, code, reason);
    return request_host_here->websocket->sent(ws->req);
}

int websocket_close_code(const websocket *ws) { return ws->over ? ws->ending->code : 0; }

text websocket_close_reason(const websocket *ws)
{
    return ws->over ? (text){ ws->ending->reason, ws->ending->reason_length } : TEXT("");
}
