/* websocket.c - see websocket.h: between frames (frame.h) and a handler's messages.
 *
 * An idle one has neither a reader nor a message. What ends it is said when the handler has done with the last message
 * before: it may want to answer that, and after a Close nothing can be sent. */
#include "websocket.h"
#include "websocket_internal.h"
#include "frame.h"
#include "handshake.h"
#include "server/http/request_internal.h"
#include "server/http/request.h"
#include "server/base/memory.h"

#include <assert.h>
#include <uv.h>

/* Fragments of one message: so many, and others of so many bytes on average. More are not worth the work. */
enum { FRAGMENTS = 4096, FRAGMENT_BYTES = 16 };
enum { LARGE = 128 * 1024 };                 /* bytes that memory is looked at for */
enum { SMALL = 1024 };                       /* bytes that there is room for before any has come */

typedef struct message {
    frame_reader *reader;                    /* until it is whole */
    size_t length, capacity;
    size_t rest;                             /* of the frame that is read: bytes that are still to come */
    size_t fragments;
    bool   whole, binary;
    promise *answer;                         /* of a step, which has it */
    char   bytes[];
} message;

/* How it ended, or is about to. */
typedef struct ending {
    uint64_t closed_at;                      /* uv_hrtime when the server sent Close; 0: it has not */
    uint16_t code;                           /* 0: it is not over */
    uint8_t  reason_length;
    char     reason[WEBSOCKET_REASON];
} ending;

struct websocket {
    request *req;
    message *coming;                         /* the next one; of which frames may still be to come */
    message *lent;                           /* the one that the handler has */
    ending  *ending;
    struct subscription *followed;           /* by follow.c */
    promise *waiting;                        /* of websocket_receive, or of websocket_each */
    websocket_step *step;                    /* NULL: it is the former's */
    union {
        websocket_message *to;               /* where the former wants the next one; NULL: it waits for readiness only */
        void              *arg;              /* of each step */
    };
    bool     pinged : 1;                     /* and nothing has come since */
    bool     closed : 1;                     /* the server has sent Close */
    bool     closed_by_client : 1;
    bool     over : 1;                       /* UV_EOF, behind the messages; then it is closed, too */
    bool     cancelled : 1;                  /* no more steps */
    bool     stepping : 1;                   /* steps are being taken */
};

_Static_assert(sizeof(websocket) <= WEBSOCKET_ROOM, "thousands are idle at once");

/* A step has the message. */
static bool websocket_is_answering(const websocket *ws) { return ws->lent && ws->lent->answer; }

/* Its end. */

static ending *websocket_ending(websocket *ws)
{
    if (!ws->ending)
        ws->ending = mem_alloc(sizeof *ws->ending);
    return ws->ending;
}

static void message_free(message *m)
{
    if (m && m->reader)
        frame_reader_put(m->reader);
    mem_free(m);
}

static void websocket_send_close(websocket *ws, int code, text reason)
{
    char bytes[FRAME_CONTROL_MOST] = { (char)(code >> 8), (char)code };
    memcpy(bytes + 2, reason.at, reason.length);
    ws->closed = true;
    websocket_ending(ws)->closed_at = uv_hrtime();
    frame_write(ws->req->out, FRAME_CLOSE, (text){ bytes, code == WEBSOCKET_NO_CODE ? 0 : 2 + reason.length });
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

static void websocket_drop(websocket *ws)
{
    if (websocket_is_answering(ws))
        return;
    mem_free(ws->lent);
    ws->lent = NULL;
    if (!ws->over || ws->closed || ws->req->gone)
        return;
    websocket_say_over(ws);
    ws->req->host->websocket->flush(ws->req);
}

/* What comes. */

static void websocket_on_frame(void *arg, frame_kind kind, uint64_t length)
{
    websocket *ws = arg;
    message *m = ws->coming;
    if (!m) {
        const size_t capacity = mem_is_short() ? 0 : length < SMALL ? length : SMALL;
        m = ws->coming = mem_resize(NULL, sizeof *m + capacity);
        *m = (message){ .capacity = capacity, .binary = kind == FRAME_BINARY };
    }
    m->rest = length;
    if (length > ws->req->host->websocket->config(ws->req)->websocket.message - m->length)
        websocket_fail(ws, WEBSOCKET_TOO_BIG);
    else if (++m->fragments > FRAGMENTS + m->length / FRAGMENT_BYTES)
        websocket_fail(ws, WEBSOCKET_POLICY);
}

static void websocket_on_bytes(void *arg, text bytes)
{
    websocket *ws = arg;
    message *m = ws->coming;
    if (ws->over)
        return;
    const size_t length = m->length + bytes.length;
    if (length > m->capacity) {
        const size_t capacity = length + m->capacity;
        if (capacity > LARGE ? !mem_has(2 * capacity) : mem_is_short()) {
            websocket_fail(ws, WEBSOCKET_TRY_AGAIN);
            return;
        }
        m = ws->coming = mem_resize(m, sizeof *m + capacity);
        m->capacity = capacity;
    }
    memcpy(m->bytes + m->length, bytes.at, bytes.length);
    m->length = length;
    m->rest -= bytes.length;
}

static void websocket_on_message(void *arg)
{
    const websocket *ws = arg;
    ws->coming->whole = !ws->over;
}

static void websocket_on_control(void *arg, frame_kind kind, text bytes)
{
    websocket *ws = arg;
    if (kind == FRAME_PING && !ws->closed && !ws->req->gone)
        frame_write(ws->req->out, FRAME_PONG, bytes);
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
    frame_reader *r = ws->coming ? ws->coming->reader : frame_reader_get(&events, ws);
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
bool     websocket_was_closed_by_client(const websocket *ws) { return ws->closed_by_client; }

static bool websocket_has_message(const websocket *ws) { return ws->coming && ws->coming->whole; }

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

bool websocket_has_something(const websocket *ws) { return ws->over || websocket_has_message(ws); }

bool websocket_ping(websocket *ws)
{
    if (ws->pinged)
        return false;
    ws->pinged = true;
    if (!ws->req->gone)
        frame_write(ws->req->out, FRAME_PING, TEXT(""));
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
}

void websocket_trim(void)
{
    frame_trim();
    websocket_handshake_trim();
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
    const text protocol = websocket_handshake_protocol(text_of(protocols), request_list(req, "sec-websocket-protocol"));
    websocket *ws = arena_alloc(&req->arena, sizeof *ws);
    ws->req = req;
    request_switch(req, ws, (text){ digest, sizeof digest }, protocol);
    req->protocol = protocol.length > 0 ? arena_copy(&req->arena, protocol) : "";
    *out = ws;
    return 0;
}

text websocket_protocol(const websocket *ws) { return text_of(ws->req->protocol); }

/* Receiving. */

/* 0: there is a message; UV_EAGAIN: there may be one later, of which websocket_deliver will know; else there will be none. */
static int websocket_next(websocket *ws, websocket_message *to)
{
    websocket_drop(ws);
    if (ws->req->gone)
        return UV_ECANCELED;
    const int err = websocket_has_something(ws) ? 0 : ws->req->host->websocket->wait(ws);
    if (err)
        return err;
    if (!websocket_has_message(ws))
        return UV_EOF;
    ws->lent = ws->coming;
    ws->coming = NULL;
    *to = (websocket_message){ { ws->lent->bytes, ws->lent->length }, ws->lent->binary };
    return 0;
}

static void websocket_settle(websocket *ws, int err)
{
    promise *p = ws->waiting;
    ws->waiting = NULL;
    ws->step = NULL;
    promise_settle(p, err);
}

static void websocket_on_cancel(promise *p, void *arg)
{
    (void)p;
    websocket_cancel(arg);
}

static promise *websocket_wait(websocket *ws, websocket_message *to)
{
    request_end_head(ws->req);
    ws->to = to;
    return ws->waiting = promise_new(websocket_on_cancel, ws);
}

promise *websocket_receive(websocket *ws, websocket_message *m)
{
    assert(!ws->waiting && "each is awaited before the next");
    const int err = websocket_next(ws, m);
    return err == UV_EAGAIN ? promise_named(websocket_wait(ws, m)) : promise_settled(err);
}

static bool source_is_ready(const source *s)
{
    websocket *ws = s->of;
    return ws->req->gone || websocket_has_something(ws) || ws->req->host->websocket->look(ws) != UV_EAGAIN;
}

static promise *source_ready(const source *s)
{
    assert(!((websocket *)s->of)->waiting && "each is awaited before the next");
    return promise_named(websocket_wait(s->of, NULL));
}

static void source_expect(const source *s, blocking_set *set)
{
    websocket *ws = s->of;
    ws->req->host->websocket->expect(ws, set);
}

source websocket_source(websocket *ws)
{
    static const source_kind kind = { source_is_ready, source_ready, source_expect };
    return (source){ .kind = &kind, .of = ws };
}

static void each_on_answered(int err, void *arg);

/* On behalf of its request, whoever calls. */
static void each_go_on(websocket *ws)
{
    websocket_message m;
    int err = 0;
    scope *const before = scope_enter(&ws->req->scope);
    ws->stepping = true;
    while (!err) {
        err = ws->cancelled ? UV_ECANCELED : websocket_next(ws, &m);
        if (err)
            break;
        promise *p = ws->step(ws, m, ws->arg);
        if (!promise_take_if_settled(p, &err)) {
            ws->lent->answer = p;
            when_settled(p, each_on_answered, ws);
            err = UV_EAGAIN;
        }
    }
    ws->stepping = false;
    scope_enter(before);
    if (err != UV_EAGAIN)
        websocket_settle(ws, err);
}

static void each_on_answered(int err, void *arg)
{
    websocket *ws = arg;
    ws->lent->answer = NULL;
    if (err)
        websocket_settle(ws, err);
    else
        each_go_on(ws);
}

static void each_on_begun(int err, void *arg)
{
    websocket *ws = arg;
    (void)err;
    if (ws->step && !websocket_is_answering(ws))             /* else something has come first */
        each_go_on(ws);
}

promise *websocket_each(websocket *ws, websocket_step *step, void *arg)
{
    assert(!ws->waiting && "each is awaited before the next");
    request_end_head(ws->req);
    ws->step = step;
    ws->arg = arg;
    ws->cancelled = false;
    when_settled(promise_settled(0), each_on_begun, ws);     /* a task may be calling, which must not start others */
    return ws->waiting = promise_new(websocket_on_cancel, ws);
}

/* Something has come, or nothing will come any more. */
void websocket_deliver(websocket *ws)
{
    if (!ws->waiting || ws->stepping || websocket_is_answering(ws) || !websocket_has_something(ws))
        return;
    if (ws->step)
        each_go_on(ws);
    else
        websocket_settle(ws, ws->to ? websocket_next(ws, ws->to) : 0);
}

void websocket_cancel(websocket *ws)
{
    ws->cancelled = true;
    if (websocket_is_answering(ws))
        promise_cancel(ws->lent->answer);
    else if (ws->waiting && !ws->stepping)
        websocket_settle(ws, UV_ECANCELED);
}

/* Sending. */

promise *websocket_send(websocket *ws, websocket_message m)
{
    if (ws->req->gone)
        return promise_settled(UV_ECANCELED);
    if (ws->closed)
        return promise_settled(UV_EOF);
    if (m.bytes.length > LARGE && !mem_has(m.bytes.length))
        return promise_settled(UV_ENOMEM);
    if (frame_write(ws->req->out, m.binary ? FRAME_BINARY : FRAME_TEXT, m.bytes))
        return promise_settled(UV_ENOMEM);
    return ws->req->host->websocket->sent(ws->req);
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
    return ws->req->host->websocket->sent(ws->req);
}

int websocket_close_code(const websocket *ws) { return ws->over ? ws->ending->code : 0; }

text websocket_close_reason(const websocket *ws)
{
    return ws->over ? (text){ ws->ending->reason, ws->ending->reason_length } : TEXT("");
}
