/* reader.c - see connection.h: bytes become requests. */
#include "connection.h"
#include "turn.h"
#include "server/http/client_socket.h"
#include "server/http/events/events_internal.h"
#include "server/http/websocket/websocket_internal.h"
#include "server/base/block.h"
#include "server/base/memory.h"
#include "server/topic/subscription.h"

#include <stdalign.h>
#include <stddef.h>

struct input {                               /* bytes that could not be used yet */
    head_scanner scanner;                    /* what has been seen of them */
    size_t at, length, capacity;             /* of bytes: where they begin, and how many there are, and may be */
    char   bytes[];
};

enum {
    ALIGNED = alignof(max_align_t) - sizeof(void *),         /* what an arena behind a pointer may lose of its room */
    ON_STACK = 1024,                         /* for the arena of a request on a stack: that page is touched anyway */
    SMALL = 4096,                            /* a larger request leaves the stack to its handler */
};

void reader_forget(connection *c)
{
    mem_free(c->input);
    c->input = NULL;
}

/* While more comes than can be served, a client has one request under way at a time: the next is looked at
 * when that has been answered, and then it may turn out that a later one has overtaken it. The same of HTTP/1.0, where an
 * answer may be the last one, which nobody knows before. */
static bool reader_may_take_next(const connection *c)
{
    const request *last = c->last;
    return !last || (request_is_safe(last) && last->minor == 1 && !last->held_back && !last->waits &&
                     !admission_stands(&worker_here->admission, last->needs));
}

bool reader_has_room(const connection *c)
{
    if (c->reading)
        return body_wants(c->last->body);
    if (upgrade_is_there(c))
        return upgrade_has_room(c);
    return !c->ending && writer_has_room(c) &&
           c->count < worker_here->config->limits.pipeline && reader_may_take_next(c);
}

/* Each take_ function uses bytes from the front and returns how many; 0 when it needs more. */

static size_t reader_take_body(connection *c, const char *at, size_t length)
{
    request *r = c->last;
    if (r->body->streams)
        return stream_take(c, at, length);
    const long taken = body_take(r->body, at, length);
    if (taken < 0) {
        pipeline_refuse(c, (int)taken);
        return length;
    }
    if (r->body->complete) {
        c->reading = false;
        pipeline_start(c, r);
    }
    return (size_t)taken;
}

/* One that is answered at once lies in a block, with the rest of that for its arena. */
static request *reader_make_short_request(const connection *c, const request_parser *p, uint64_t now)
{
    size_t size;
    request *r = block_get(request_parser_size(p, false, pipeline_room(c)), &size);
    request_parser_init(p, r, size, false, now);
    r->block = size;
    return r;
}

/* One that starts now, if it may, lies on the stack of its own task. */
static request *reader_make_request(const connection *c, const request_parser *p, uint64_t now, bool starts)
{
    const route *route = p->match.route;
    if (!route || route->answer)
        return reader_make_short_request(c, p, now);
    /* It may be there for long: its head need not, unless it is to be told of in the end. */
    const bool apart = (route->websocket || route->events) && !route->await && !request_over_names_clients();
    const size_t more = ALIGNED + (route->websocket ? WEBSOCKET_ROOM : SUBSCRIPTION_ROOM + FOLLOWER_ROOM);
    size_t size = request_parser_size(p, false, ON_STACK);
    task *t = NULL;
    if (starts && size <= SMALL && route->await && admission_is_open(&worker_here->admission, p->needs))
        t = task_new(route->path, size);
    if (!t)
        size = request_parser_size(p, apart, pipeline_room(c) + (apart ? more : 0));
    request *r = t ? task_room(t) : mem_resize(NULL, size);
    request_parser_init(p, r, size, apart, now);
    if (t)
        r->task = t;
    return r;
}

/* Refuses it at the price of having read its head, when a later request of its client has overtaken it, and more comes
 * than can be served. Only what is usual is refused so cheaply; all else has its place in the wait queue. */
static bool reader_sheds(connection *c, const request_parser *p, const char *behind, size_t length)
{
    admission *a = &worker_here->admission;
    if (c->first || p->head.minor == 0 || !p->head.keep_alive || worker_here->draining || !admission_stands(a, p->needs) ||
        !request_parser_is_overtaken(p, admission_worth(a, p->needs), behind, length))
        return false;
    arena list;
    arena_init(&list, NULL, 0);
    output_append(&c->out, admission_refusal(a, p->needs, problem_prefers_html(request_parser_accepts(p, &list))));
    arena_done(&list);
    if (access_log_is_on()) {
        char room[IP_TEXT];
        const peer from = connection_peer(c);
        const head *const h = &p->head;
        access_log_refusal(h, label_name(p->match.label), peer_find_name(&from, h->at, h->headers, h->count, room), 503);
    }
    shard_count_answer(p->match.label, false, status_number(503));
    return true;
}

static size_t reader_take_head(connection *c, head_scanner *s, uint64_t now, const char *at, size_t length)
{
    request_parser *p = &worker_here->request_parser;
    const config *config = worker_here->config;

    const peer from = connection_peer(c);
    const long size = request_parser_read(p, s, at, length, config, connection_listener(c)->router, &from);
    if (size == 0)
        return 0;
    if (size < 0) {
        pipeline_refuse(c, (int)size);
        return length;
    }
    const size_t rest = length - (size_t)size;
    p->needs = admission_needs(&worker_here->admission, p);
    if (reader_sheds(c, p, at + size, rest))
        return (size_t)size;
    const bool whole = !p->head.chunked && p->head.content_length <= rest;
    request *r = reader_make_request(c, p, now, whole || request_parser_streams(p));
    r->ahead = c->first || c->more || p->head.content_length < rest;
    if (worker_here->draining)
        r->keep_alive = false;
    pipeline_append(c, r);
    c->phase = CONNECTION_IDLE;              /* the next head's time starts anew */
    if (!p->head.has_body) {
        pipeline_start(c, r);
        return (size_t)size;
    }
    c->reading = true;
    const int err = request_parser_body(p, r, config);
    if (err) {
        pipeline_refuse(c, err);
        return length;
    }
    if (r->body->streams)
        return (size_t)size + stream_begin(c, at + size, rest);
    if (request_send_continue(r, rest > 0))
        writer_flush_soon(c);
    return (size_t)size;
}

void reader_resume(connection *c)
{
    c->paused = false;
    if (!c->reads)
        connection_poll(c);
}

/* A client that sends faster than it is served waits in its own buffers, not in ours; at once, while more comes
 * than can be served: then what it sends meanwhile is read all together. Else a little is read ahead, to notice
 * one that leaves. */
static bool reader_is_far_ahead(const connection *c)
{
    const request *last = c->last;
    if (last && (last->waits || c->input) && admission_stands(&worker_here->admission, last->needs))
        return true;
    return c->input && c->input->length > worker_here->config->limits.head;
}

static void reader_pause_or_read(connection *c)
{
    if (c->left)
        return;
    const bool far = reader_is_far_ahead(c);
    if (far && !c->paused && !reader_has_room(c))
        c->paused = true;
    else if (!far && c->paused)
        writer_flush_next_turn(c);
}

/* Puts length bytes behind what is aside. */
static void reader_keep(connection *c, const char *at, size_t length)
{
    struct input *in = c->input;
    const size_t held = in ? in->length : 0;
    if (length == 0)
        return;
    if (in && in->at > 0) {
        memmove(in->bytes, in->bytes + in->at, held);
        in->at = 0;
    }
    if (!in || held + length > in->capacity) {
        const size_t capacity = in ? 2 * in->capacity + length : length;
        in = mem_resize(in, sizeof *in + capacity);
        if (!c->input)
            *in = (struct input){ 0 };
        in->capacity = capacity;
        c->input = in;
    }
    memcpy(in->bytes + held, at, length);
    in->length = held + length;
}

/* Takes used bytes from the front of what is aside. */
static void reader_drop(connection *c, size_t used)
{
    struct input *in = c->input;
    if (!in)
        return;
    in->at += used;
    in->length -= used;
    if (in->length == 0)
        reader_forget(c);
}

void reader_use_frames(connection *c)
{
    const struct input *in = c->input;
    reader_drop(c, upgrade_take(c, in->bytes + in->at, in->length));
    c->blocked = c->input != NULL;
}

/* Its part of this turn is used up: its answers leave, and the rest of what it has sent is looked at, in the next. */
static void reader_go_on_next_turn(connection *c)
{
    writer_push(c);
    if (!c->closing)
        writer_flush_next_turn(c);
}

/* What is incomplete now stays so. */
static void reader_end_of_input(connection *c)
{
    c->ending = true;
    reader_forget(c);
    if (c->reading && c->last->body->streams)
        stream_break(c, HTTP_STATUS(400));
    else if (c->reading || (upgrade_is_there(c) && !upgrade_is_over(c)))
        connection_abandon(c);
}

/* Takes requests, and what there is of a body, as there is room for them: how many bytes. *yields: their client has sent
 * more at once than one turn is for. */
static size_t reader_take(connection *c, head_scanner *s, uint64_t now, const char *at, size_t length, bool *yields)
{
    size_t used = 0;
    int heads = 0;
    c->busy = true;
    c->blocked = false;
    while (used < length && !c->closing) {
        if (!reader_has_room(c)) {
            writer_push(c);                  /* that may make room */
            if (!reader_has_room(c)) {
                c->blocked = true;
                break;
            }
        }
        const bool upgraded = upgrade_is_there(c);
        if (!c->reading && !upgraded && heads++ == worker_here->config->limits.pipeline) {        /* refused ones count, too */
            c->blocked = *yields = true;
            break;
        }
        const size_t taken = upgraded       ? upgrade_take(c, at + used, length - used)
                             : c->reading   ? reader_take_body(c, at + used, length - used)
                             : c->announces ? proxied_take(c, at + used, length - used)
                                            : reader_take_head(c, s, now, at + used, length - used);
        if (taken == 0)
            break;
        used += taken;
        c->more = c->phase != CONNECTION_NEW;
    }
    c->busy = false;
    return used;
}

/* Uses what was kept aside, if anything, and the new bytes behind it; keeps the rest aside. */
void reader_use(connection *c, const char *at, size_t length)
{
    head_scanner s = { 0 };
    const bool aside = c->input != NULL;
    const uint64_t now = length > 0 ? worker_here->now : uv_hrtime();        /* one look for all requests of one read */
    bool yields = false;

    if (!aside && length == 0)
        return;
    if (length == 0 && turn_is_over(now)) {
        c->blocked = true;
        reader_go_on_next_turn(c);
        return;
    }
    c->more = aside && length == 0;
    if (aside) {
        reader_keep(c, at, length);
        at = c->input->bytes + c->input->at;
        length = c->input->length;
        s = c->input->scanner;
    }
    size_t used = reader_take(c, &s, now, at, length, &yields);
    if (c->closing)
        return;                              /* what was aside went with it */
    if (c->ending && !c->reading && used < length) {
        c->unread = true;                    /* what comes behind the last request is not looked at */
        used = length;
    }
    if (aside)
        reader_drop(c, used);
    else
        reader_keep(c, at + used, length - used);
    if (c->input)
        c->input->scanner = s;
    if (c->left && !c->blocked)
        reader_end_of_input(c);
    if (c->closing)
        return;
    reader_pause_or_read(c);
    if (yields)
        reader_go_on_next_turn(c);
    else
        writer_flush(c);
}

/* The client sends no more. Most have gone, and what they asked for is to be cancelled; but one that
 * has only closed its own direction still waits. Nothing tells them apart: so what can be answered
 * in a moment is, and the rest is cancelled then. */
static void reader_on_end(connection *c)
{
    c->left = true;
    connection_poll(c);
    if (c->closing)
        return;
    if (!c->blocked)
        reader_end_of_input(c);
    if (!c->closing)
        writer_flush(c);
}

static void reader_arrived(connection *c, ssize_t n, const char *bytes)
{
    if (n == UV_EOF && c->phase != CONNECTION_LINGERING && !c->left) {
        reader_on_end(c);
        return;
    }
    if (n < 0) {
        connection_abandon(c);
        return;
    }
    if (c->ending && !c->reading) {          /* dropped; and there may be more */
        c->unread = true;
        return;
    }
    reader_use(c, bytes, (size_t)n);
}

void reader_read(connection *c)
{
    const ssize_t n = client_socket_receive(c->fd, worker_here->buffer, WORKER_BUFFER, 0);
    if (n != UV_EAGAIN)
        reader_arrived(c, n, worker_here->buffer);
}

/* Where there is much to read, each read on its own is cheaper than to have the socket watched for it. */
static void reader_read_on(connection *c)
{
    if (turn_is_over(worker_here->now = uv_hrtime())) {
        writer_flush_next_turn(c);
        return;
    }
    const ssize_t n = client_socket_receive(c->fd, worker_here->buffer, WORKER_BUFFER, 0);
    if (n < WORKER_BUFFER && n != UV_EOF)
        reader_resume(c);                    /* that is all there is: from now on it is watched again */
    if (n != UV_EAGAIN && !c->closing)
        reader_arrived(c, n, worker_here->buffer);
}

void reader_go_on(connection *c)
{
    if (c->busy)
        return;
    if (c->blocked) {
        if (reader_has_room(c))
            reader_use(c, NULL, 0);
    } else if (c->phase == CONNECTION_LINGERING)
        reader_resume(c);
    else if (!c->left && !reader_is_far_ahead(c))
        reader_read_on(c);
}
