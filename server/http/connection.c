/* connection.c - one client of a loop: bytes in, requests started in order, answers out in order.
 *
 * What arrives is read in the loop's own buffer and, if it is a whole request, never copied but into
 * that request. Only the beginning of an incomplete one is kept aside. Answers gather in the
 * connection's output and leave in one write a turn.
 *
 * Safe requests (GET and such) of one client run side by side; any other waits for those before it,
 * and those behind wait for it (RFC 9112, 9.3.2). */
#include "exchange.h"
#include "guard.h"
#include "server/async/loop.h"
#include "server/async/timer.h"
#include "server/log.h"
#include "server/memory.h"
#include "worker.h"

#include <assert.h>

enum {
    LINGER = 2000,                           /* ms for a refused client to read why, before the reset */
    GRACE = 100,                             /* ms for an idle client's last request to cross our stopping */
    BODY_RATE = 16,                          /* bytes a ms: a body that comes faster may take longer */
    BUFFERS = 32,                            /* chunks in one system call */
};

typedef enum phase { IDLE, HEAD, BODY, HANDLER, WRITE, LINGERING } phase;

struct input {                               /* bytes that could not be used yet */
    guard  guard;
    size_t length, capacity;
    char   bytes[];
};

struct write { uv_write_t uv; struct connection *connection; output out; };

typedef struct connection {
    uv_tcp_t      tcp;                       /* must be first */
    timer         timer;
    ready         turn_end;
    output        out;
    request      *first, *last;              /* in the order they came */
    request      *reading;                   /* the last one, while its body is arriving */
    struct input *input;                     /* NULL when there is none */
    struct write *writing;                   /* what the kernel would not take yet; NULL when it took all */
    uint64_t      since;                     /* ms, when this phase began or got on */
    uint16_t      count;                     /* requests in line */
    uint8_t       phase;
    bool          flushing : 1;              /* turn_end is in the loop's list */
    bool          busy : 1;                  /* use_input is on the stack */
    bool          blocked : 1;               /* there is input, but no room for another request yet */
    bool          paused : 1;                /* not reading from the socket */
    bool          ending : 1;                /* no more requests: close when all is answered and written */
    bool          unread : 1;                /* the client may still be sending: linger */
    bool          closing : 1;               /* uv_close has been called */
    bool          closed : 1;
} connection;

_Thread_local worker *worker_here;

static _Thread_local pool connections = POOL(connection);

static void use_input(connection *c, const char *at, size_t length);
static void advance(connection *c);
static void flush(connection *c);
static void refuse(connection *c, int err);
static void abandon(connection *c);
static bool has_room(const connection *c);

/* Time: one timer a connection, moved only when a shorter wait begins; else it looks again when it rings. */

static uint64_t allowed(const connection *c)
{
    const config *config = worker_here->config;
    switch ((phase)c->phase) {
    case IDLE:      return worker_here->draining ? GRACE : config->timeouts.idle;
    case HEAD:      return config->timeouts.head;
    case BODY:      return config->timeouts.body + c->reading->body->length / BODY_RATE;
    case WRITE:     return config->timeouts.write;
    case LINGERING: return LINGER;
    default:        return UINT32_MAX;
    }
}

static void rang(timer *t)
{
    connection *c = (connection *)((char *)t - offsetof(connection, timer));
    const uint64_t due = c->since + allowed(c), now = timer_now();

    if (c->phase == HANDLER)
        return;                              /* handlers have time limits of their own */
    if (now < due) {
        timer_set(&c->timer, due - now, rang);
        return;
    }
    if (c->phase == HEAD || c->phase == BODY)
        refuse(c, HTTP_STATUS(408));
    else
        abandon(c);
}

static void enter_phase(connection *c)
{
    const phase now_in = c->writing ? WRITE : c->phase == LINGERING ? LINGERING : c->reading ? BODY
                       : c->first ? HANDLER : c->input ? HEAD : IDLE;
    if (now_in == IDLE)
        c->since = timer_now();
    if (now_in == c->phase && timer_is_set(&c->timer))
        return;
    c->phase = now_in;
    c->since = timer_now();
    if (now_in != HANDLER && (!timer_is_set(&c->timer) || c->timer.due > c->since + allowed(c)))
        timer_set(&c->timer, allowed(c), rang);
}

/* The end. */

static void free_if_done(connection *c)
{
    if (!c->closed || c->first || c->flushing)
        return;
    mem_free(c->input);
    pool_put(&connections, c);
    if (--worker_here->connections == 0 && worker_here->draining)
        worker_here->emptied(worker_here);
}

static void on_closed(uv_handle_t *h)
{
    connection *c = (connection *)h;
    c->closed = true;
    free_if_done(c);
}

static void close_connection(connection *c)
{
    if (c->closing)
        return;
    c->closing = c->ending = true;
    timer_stop(&c->timer);
    output_free(&c->out);
    uv_close((uv_handle_t *)c, on_closed);   /* a write under way fails with UV_ECANCELED first */
}

/* The client is gone, or must go: what its requests wait for is cancelled, nothing more is sent. */
static void abandon(connection *c)
{
    close_connection(c);
    if (c->reading) {
        c->reading->finished = true;
        c->reading = NULL;
    }
    for (request *r = c->first, *next; r; r = next) {
        next = r->next;
        r->gone = true;
        output_free(&r->held);
        if (r->held_back)
            r->finished = true;
        if (r->waiting) {
            promise *room = r->waiting;
            r->waiting = NULL;
            promise_settle(room, UV_ECANCELED);
        }
        if (r->running)
            promise_cancel(r->running);
    }
    advance(c);
}

/* All is answered and written, and there will be no more. */
static void finish_connection(connection *c)
{
    if (!c->unread) {
        close_connection(c);
        return;
    }
    /* To close now would reset the connection, and the client might never see our answer:
     * say that we are done, and read on for a while (RFC 9112, 9.6). */
    int fd;
    if (c->phase == LINGERING || uv_fileno((uv_handle_t *)c, &fd) || shutdown(fd, SHUT_WR)) {
        close_connection(c);
        return;
    }
    c->phase = LINGERING;
    c->since = timer_now();
    timer_set(&c->timer, LINGER, rang);
    mem_free(c->input);
    c->input = NULL;
}

/* Out. */

static void wrote(uv_write_t *uv, int status)
{
    struct write *w = (struct write *)uv;
    connection *c = w->connection;
    output_free(&w->out);
    mem_free(w);
    c->writing = NULL;
    if (c->closing)
        return;
    if (status < 0) {
        abandon(c);
        return;
    }
    flush(c);
}

static int gather_buffers(const output *o, uv_buf_t buffers[BUFFERS])
{
    int n = 0;
    for (const chunk *k = o->first; k && n < BUFFERS; k = k->next)
        buffers[n++] = uv_buf_init((char *)k->bytes, k->used);
    return n;
}

/* What the kernel did not take is written when it can; its chunks belong to the write until then. */
static void write_later(connection *c, size_t taken)
{
    struct write *w = mem_alloc(sizeof *w);
    w->connection = c;
    output_move(&w->out, &c->out);
    int count = 0;
    for (const chunk *k = w->out.first; k; k = k->next)
        count++;
    uv_buf_t *buffers = mem_alloc((size_t)count * sizeof *buffers);
    int n = 0;
    for (chunk *k = w->out.first; k; k = k->next) {
        const size_t skip = taken < k->used ? taken : k->used;
        taken -= skip;
        if (k->used > skip)
            buffers[n++] = uv_buf_init(k->bytes + skip, (unsigned)(k->used - skip));
    }
    c->writing = w;
    if (uv_write(&w->uv, (uv_stream_t *)c, buffers, (unsigned)n, wrote))
        wrote(&w->uv, UV_EPIPE);
    mem_free(buffers);
}

static void flush(connection *c)
{
    if (c->closing)
        return;
    while (c->out.first && !c->writing) {
        uv_buf_t buffers[BUFFERS];
        const int count = gather_buffers(&c->out, buffers);
        size_t total = 0;
        for (int i = 0; i < count; i++)
            total += buffers[i].len;
        int n = uv_try_write((uv_stream_t *)c, buffers, (unsigned)count);
        if (n < 0 && n != UV_EAGAIN) {
            abandon(c);
            return;
        }
        if (n < 0)
            n = 0;
        if ((size_t)n < total || count == BUFFERS) {
            write_later(c, (size_t)n);
            break;
        }
        output_free(&c->out);
    }
    request *r = c->first;
    if (r && r->waiting && !c->writing) {
        promise *room = r->waiting;
        r->waiting = NULL;
        promise_settle(room, 0);
    }
    if (c->ending && !c->first && !c->writing && !c->out.first)
        finish_connection(c);
    else if (c->blocked && !c->busy && has_room(c))
        use_input(c, NULL, 0);
    if (!c->closing && !c->busy)
        enter_phase(c);
}

static void on_turn_end(ready *r)
{
    connection *c = (connection *)((char *)r - offsetof(connection, turn_end));
    c->flushing = false;
    if (c->closing)
        free_if_done(c);
    else
        flush(c);
}

static void flush_soon(connection *c)
{
    if (c->flushing || c->busy)              /* use_input flushes when it is done */
        return;
    c->flushing = true;
    c->turn_end.run = on_turn_end;
    loop_at_turn_end(&c->turn_end);
}

static void stop_waiting(promise *p, void *arg)
{
    request *r = arg;
    r->waiting = NULL;
    promise_settle(p, UV_ECANCELED);
}

static promise *room_for_piece(request *r)
{
    connection *c = r->connection;
    if (r == c->first)
        flush(c);
    if (r->gone)
        return promise_settled(UV_ECANCELED);
    if (r == c->first && !c->writing)
        return promise_settled(0);
    return r->waiting = promise_new(stop_waiting, r);
}

static void answering(request *r) { worker_here->answering(r); }

static const exchange_host host = { .room = room_for_piece, .answering = answering };

/* Requests. */

static void free_request(request *r)
{
    task *t = r->task;
    const bool on_heap = !t || task_room(t) != r;
    exchange_done(r);
    if (on_heap)
        mem_free(r);
    if (t)
        task_free(t);
}

static void start(request *r);

/* Those at the head of the line that have ended leave it, and the next one's answer gets its turn. */
static void advance(connection *c)
{
    request *r;
    while ((r = c->first) && r->finished) {
        c->first = r->next;
        c->count--;
        if (!c->first)
            c->last = NULL;
        if (!r->keep_alive)
            c->ending = true;
        free_request(r);
        if (!c->first)
            break;
        r = c->first;
        output_move(&c->out, &r->held);
        r->out = &c->out;
        if (r->held_back && !c->closing) {
            r->held_back = false;
            start(r);
        }
    }
    if (c->closing)
        free_if_done(c);
    else
        flush_soon(c);
}

/* The handler has ended, with err. */
static void finish(request *r, int err)
{
    connection *c = r->connection;
    r->running = NULL;
    r->finished = true;
    if (!r->answered) {
        const int status = err ? status_of(err) : 500;
        if (status == 500)
            log_error("%s: %s", r->route->path, err ? uv_strerror(err) : "the handler did not answer");
        respond_error(r, err ? err : HTTP_STATUS(500));
    } else if (r->left > 0 && !r->gone) {    /* a long answer broke off: the client must see that */
        abandon(c);
        return;
    }
    advance(c);
}

static void on_settled(int err, void *arg) { finish(arg, err); }

static int run_handler(void *arg)
{
    request *r = arg;
    return r->route->await(r);
}

static void start(request *r)
{
    promise *p;
    int err;

    if (!r->route) {
        exchange_answer(r);
        r->finished = true;
        return;
    }
    if (r->route->callback) {
        r->route->callback(r, on_settled, r);
        return;
    }
    if (r->route->await) {
        if (!r->task && !(r->task = task_new(r->route->path, 0))) {
            finish(r, UV_ENOMEM);
            return;
        }
        p = task_run(r->task, run_handler, r);
    } else {
        p = r->route->promise(r);
    }
    if (promise_take_if_settled(p, &err)) {
        finish(r, err);
        return;
    }
    r->running = p;
    when_settled(p, on_settled, r);
}

static bool is_safe(const request *r)
{
    return r->method == HTTP_GET || r->method == HTTP_HEAD || r->method == HTTP_OPTIONS;
}

/* r is complete: start it, unless those ahead forbid. */
static void begin(connection *c, request *r)
{
    c->reading = NULL;
    if (c->first != r && !is_safe(r))
        r->held_back = true;
    else
        start(r);
    if (c->first && c->first->finished)
        advance(c);
}

static void append(connection *c, request *r)
{
    r->connection = c;
    r->host = &host;
    r->out = c->first ? &r->held : &c->out;
    if (c->last)
        c->last->next = r;
    else
        c->first = r;
    c->last = r;
    c->count++;
}

/* Answers with an error, after all that came before, and takes nothing more from this client. */
static void refuse(connection *c, int err)
{
    request *r = c->reading;
    if (!r) {
        static const head NOTHING = { .at = "" };
        const size_t size = exchange_size(&NOTHING);
        r = mem_alloc(size);
        exchange_init(r, size, &NOTHING);
        append(c, r);
    }
    c->reading = NULL;
    c->ending = c->unread = true;
    r->keep_alive = false;
    respond_error(r, err);
    r->finished = true;
    advance(c);
}

/* In. Each take_ function uses bytes from the front and returns how many; 0 when it needs more. */

static size_t take_body(connection *c, const char *at, size_t length)
{
    request *r = c->reading;
    const long taken = body_take(r->body, at, length);
    if (taken < 0) {
        refuse(c, (int)taken);
        return length;
    }
    if (r->body->complete)
        begin(c, r);
    return (size_t)taken;
}

static request *make_request(const head *h, const match *m, bool whole)
{
    const size_t size = exchange_size(h);
    task *t = NULL;
    if (whole && m->route && m->route->await)
        t = task_new(m->route->path, size);
    request *r = t ? task_room(t) : mem_alloc(size);
    exchange_init(r, size, h);
    r->task = t;
    r->route = m->route;
    r->allow = m->found ? m->allow : NULL;
    memcpy(r->parameters, m->parameters, sizeof r->parameters);
    return r;
}

static size_t take_head(connection *c, guard *g, const char *at, size_t length)
{
    static _Thread_local head h;             /* large, and only of use in here */
    llhttp_t parser;
    match m;
    const config *config = worker_here->config;
    const guard_limits limits = { config->limits.head, config->limits.uri, config->limits.headers };

    const long size = guard_head(g, at, length, &limits);
    if (size == 0)
        return 0;
    *g = (guard){ 0 };
    int err = size < 0 ? (int)size : head_read(&h, &parser, at, (size_t)size);
    if (err) {
        refuse(c, err);
        return length;
    }
    router_find(worker_here->router, text_of(llhttp_method_name(h.method)), h.path, &m);
    const size_t rest = length - (size_t)size;
    request *r = make_request(&h, &m, !h.chunked && h.content_length <= rest);
    r->started = uv_hrtime();
    if (worker_here->draining)
        r->keep_alive = false;
    append(c, r);
    c->phase = IDLE;                         /* the next head's time starts anew */
    if (!r->keep_alive)
        c->ending = true;
    if (!h.has_body) {
        begin(c, r);
        return (size_t)size;
    }
    c->reading = r;
    r->body = body_new(&r->arena, &h, &parser, config->limits.body, config->limits.head, &err);
    if (!r->body) {
        refuse(c, err);
        return length;
    }
    if (h.expects_continue && rest == 0) {
        output_append(r->out, TEXT("HTTP/1.1 100 Continue\r\n\r\n"));
        flush_soon(c);
    }
    return (size_t)size;
}

/* May another request be looked at now? */
static bool has_room(const connection *c)
{
    return !c->ending && !(c->writing && output_length(&c->writing->out) > worker_here->config->limits.output) &&
           c->count < worker_here->config->limits.pipeline &&
           (!c->last || (is_safe(c->last) && !c->last->held_back));
}

/* Puts length bytes behind what is aside. */
static void keep_aside(connection *c, const char *at, size_t length)
{
    struct input *in = c->input;
    const size_t held = in ? in->length : 0;
    if (length == 0)
        return;
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
static void drop_aside(connection *c, size_t used)
{
    struct input *in = c->input;
    if (!in)
        return;
    in->length -= used;
    if (in->length == 0) {
        mem_free(in);
        c->input = NULL;
    } else if (used > 0) {
        memmove(in->bytes, in->bytes + used, in->length);
    }
}

static void pause_or_read(connection *c);

/* Uses what was kept aside, if anything, and the new bytes behind it; keeps the rest aside. */
static void use_input(connection *c, const char *at, size_t length)
{
    guard g = { 0 };
    size_t used = 0;
    const bool aside = c->input != NULL;

    if (aside) {
        keep_aside(c, at, length);
        at = c->input->bytes;
        length = c->input->length;
        g = c->input->guard;
    }
    c->busy = true;
    c->blocked = false;
    while (used < length && !c->closing) {
        if (!c->reading && !has_room(c)) {
            c->blocked = true;
            break;
        }
        const size_t taken = c->reading ? take_body(c, at + used, length - used)
                                        : take_head(c, &g, at + used, length - used);
        if (taken == 0)
            break;
        used += taken;
    }
    c->busy = false;
    if (c->closing)
        return;                              /* what was aside went with it */
    if (c->ending && !c->reading && used < length) {
        c->unread = true;                    /* what comes behind the last request is not looked at */
        used = length;
    }
    if (aside)
        drop_aside(c, used);
    else
        keep_aside(c, at + used, length - used);
    if (c->input)
        c->input->guard = g;
    pause_or_read(c);
    flush(c);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buffer)
{
    connection *c = (connection *)stream;
    if (n < 0) {
        abandon(c);
        return;
    }
    if (n == 0 || c->phase == LINGERING || (c->ending && !c->reading))
        return;                              /* read and dropped */
    use_input(c, buffer->base, (size_t)n);
}

static void on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *buffer)
{
    (void)h;
    (void)suggested;
    *buffer = uv_buf_init(worker_here->buffer, READ_BUFFER);
}

/* A client that sends faster than it is served waits in its own buffers, not in ours. */
static void pause_or_read(connection *c)
{
    const bool full = c->input && c->input->length > worker_here->config->limits.head;
    if (full && !c->paused && !has_room(c)) {
        uv_read_stop((uv_stream_t *)c);
        c->paused = true;
    } else if (!full && c->paused) {
        c->paused = false;
        if (uv_read_start((uv_stream_t *)c, on_alloc, on_read))
            abandon(c);
    }
}

static void turn_away(connection *c)
{
    uv_buf_t busy = uv_buf_init((char *)"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\n"
                                "Content-Length: 0\r\nConnection: close\r\n\r\n", 91);
    uv_try_write((uv_stream_t *)c, &busy, 1);
    close_connection(c);
}

void connection_accept(uv_stream_t *listener, int status)
{
    if (status < 0) {
        log_warning("cannot accept a connection: %s", uv_strerror(status));
        return;
    }
    connection *c = pool_get(&connections);
    memset(c, 0, sizeof *c);
    uv_tcp_init(loop_here(), &c->tcp);
    worker_here->connections++;
    if (uv_accept(listener, (uv_stream_t *)c))
        close_connection(c);
    else if (worker_here->connections > worker_here->config->limits.connections)
        turn_away(c);
    else if (uv_read_start((uv_stream_t *)c, on_alloc, on_read))
        close_connection(c);
    else
        enter_phase(c);
}

static void each_connection(void (*visit)(connection *c));

static void drain(connection *c)
{
    if (c->last && !c->last->answered)
        c->last->keep_alive = false;         /* its answer says so */
    if (c->phase == IDLE)
        timer_set(&c->timer, GRACE, rang);
}

struct visitor { void (*visit)(connection *c); };

static void visit_handle(uv_handle_t *h, void *arg)
{
    if (h->type == UV_TCP && h != (uv_handle_t *)&worker_here->listener && !uv_is_closing(h))
        ((struct visitor *)arg)->visit((connection *)h);
}

static void each_connection(void (*visit)(connection *c))
{
    struct visitor v = { visit };
    uv_walk(loop_here(), visit_handle, &v);
}

void connections_drain(void) { each_connection(drain); }
void connections_abort(void) { each_connection(abandon); }
