/* connection.c - see connection.h. */
#include "connection.h"
#include "server/http/client_socket.h"
#include "server/http/request.h"
#include "server/http/observe/request_over.h"
#include "server/http/stop_spread.h"
#include "server/async/loop.h"
#include "server/async/scope_for.h"
#include "server/base/blocking_wait.h"
#include "server/base/observe/recorder.h"
#include "server/async/task.h"
#include "server/async/unawaited.h"
#include "server/base/log.h"
#include "server/base/memory.h"
#include "server/base/overload/refusal.h"

#include <assert.h>
#include <netdb.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/time.h>

enum {
    ROOM = 4096, ARENA = 1024,               /* for a request, on the stack; its arena's part of it */
    PIECE = 16 * 1024,                       /* bytes of a long answer that are sent at once */
    TOGETHER = 16 * 1024,                    /* bytes of answers that gather before they are sent */
    WAITED = 50000,                          /* nanoseconds: a permit that was there took less */
};

/* What a request needs of the thread that serves it. */

static promise *thread_room(request *r)
{
    thread_connection *c = r->connection;
    transport_send(c);
    r->gone = c->gone;
    return promise_settled(c->gone ? UV_ECANCELED : 0);
}

/* Its thread holds much more anyway: so less of what it sends. */
static size_t thread_share(const request *r)
{
    (void)r;
    return PIECE;
}

/* While draining, the last answer says that it is: none may follow it. */
static void thread_end_if_draining(request *r)
{
    thread_connection *c = r->connection;
    if (atomic_load(&c->shared->draining) && transport_is_quiet(c))
        r->keep_alive = false;
}

/* A client that stops half-way may yet read what came of it. */
static promise *thread_more(request *r)
{
    thread_connection *c = r->connection;
    if (c->gone)
        return promise_settled(UV_ECANCELED);
    const int err = transport_wait_for_body(c, r);
    r->body->err = err == UV_EOF ? HTTP_STATUS(400) : err;
    r->gone = c->gone;
    return promise_settled(c->gone ? UV_ECANCELED : 0);
}

static void thread_answering(request *r)
{
    thread_connection *c = r->connection;
    thread_end_if_draining(r);
    if (request_is_delimited_by_end(r))
        atomic_store(&c->delimits, true);
    c->shared->answering(r);
}

static void thread_limit(request *r) { blocking_limit(request_deadline(r)); }

static peer thread_peer(const thread_connection *c)
{
    return (peer){ c->fd, c->shared->trust, c->listener->proxy_protocol ? &c->told : NULL, client_name_text(&c->client) };
}

static peer thread_request_peer(const request *r) { return thread_peer(r->connection); }

static text thread_name(const request *r)
{
    const thread_connection *const c = r->connection;
    return c->shared->trust->proxies ? TEXT("") : client_name_text(&c->client);
}

static const request_host host = {
    .peer = thread_request_peer, .name = thread_name,
    .room = thread_room, .share = thread_share, .answering = thread_answering, .limit = thread_limit, .more = thread_more,
    .websocket = &thread_upgrade_host, .events = &thread_event_host,
};

/* Running a handler. */

static void handler_ended(int err, void *arg)
{
    request *r = arg;
    thread_connection *c = r->connection;
    if (err == UV_ECANCELED && !r->stopped && blocking_cancelled())
        r->gone = c->gone = true;
    if (r->upgraded)
        err = thread_upgrade_end(r, err);
    else if (r->events)
        err = thread_event_stream_end(r, err);
    request_record(r, err, c, c->shared->config->log.slow_request);
    request_end(r, err);
    r->finished = true;
}

static void thread_run_handler(request *r)
{
    if (!r->route) {
        request_answer(r);
        return;
    }
    thread_connection *c = r->connection;
    scope *const thread = scope_enter(&r->scope);
    scope_for_all(&r->scope);
    (void)blocking_waited(&(uint64_t){ 0 }, &(uint64_t){ 0 });       /* what was waited for before is not its handler's */
    atomic_store_explicit(&c->since, r->started, memory_order_relaxed);
    atomic_store_explicit(&c->answering, r->route, memory_order_relaxed);
    if (r->route->answer)
        handler_ended(r->route->answer(r), r);
    else if (r->route->await)
        handler_ended(r->route->await(r), r);
    else if (r->route->promise)
        handler_ended(await(r->route->promise(r)), r);
    else
        r->route->callback(r, handler_ended, r);
    while (!r->finished) {                   /* all that it waits for has settled: its followers must run */
        const bool progress = loop_run_ready();
        assert(progress && "a callback handler waits for a promise that will not be settled");
        (void)progress;
    }
    atomic_store_explicit(&c->answering, NULL, memory_order_relaxed);
    scope_enter(thread);
    if (scope_keeps(&r->scope))
        (void)await(unawaited_drain(&r->scope));
    scope_end(&r->scope);
    scope_for_all(NULL);
}

/* The answers before its own do not wait with it. False if the client is gone. */
static bool thread_send_before_wait(thread_connection *c, const request *r)
{
    if (request_may_wait(r))
        transport_send(c);
    return !c->gone;
}

/* Runs its handler, when it has been admitted. */
static void thread_admit(thread_connection *c, request *r, const request_parser *p)
{
    if (r->needs == NEEDS_PAGE)              /* it is rendered right here */
        r->needs = NEEDS_READS;
    if (!r->needs) {
        if (thread_send_before_wait(c, r))
            thread_run_handler(r);
        return;
    }
    thread_admission *const a = &c->shared->admissions[r->needs];
    if (request_parser_is_overtaken(p, thread_admission_worth(a), c->input + c->at, c->end - c->at)) {
        request_decline(r, refuse(REFUSED_DATABASE_AHEAD, 0));
        return;
    }
    if (!thread_send_before_wait(c, r))
        return;
    resource *permit;
    const uint64_t since = uv_hrtime();
    shard_add(SHARD_WAITING, 1);
    const int err = thread_admission_acquire(a, c->more, &permit);
    shard_add(SHARD_WAITING, -1);
    if (!err) {
        if (uv_hrtime() - since > WAITED)
            request_has_waited(r, since);
        thread_run_handler(r);
        thread_admission_release(a, permit);
    } else if (err == UV_ECANCELED)
        c->gone = true;
    else
        request_decline(r, err);
}

/* All of it, or, if it streams, what is there. 0, or the error with which to refuse it; c->gone if the rest
 * will not come. */
static int thread_begin_body(thread_connection *c, request *r, const request_parser *p)
{
    int err = request_parser_body(p, r, c->shared->config);
    if (err)
        return err;
    if (r->body->streams) {
        r->body->err = transport_take_body(c, r->body);
        return 0;
    }
    err = transport_wait_for_body(c, r);
    c->gone |= err == UV_EOF;
    return err;
}

static void thread_answer(thread_connection *c, request *r, const request_parser *p)
{
    int err = p->head.has_body ? thread_begin_body(c, r, p) : 0;
    if (c->gone)
        return;
    if (err) {
        request_refuse(r, err);
        c->unread = true;
        return;
    }
    thread_end_if_draining(r);
    if (!request_passes(r, &err)) {
        handler_ended(err, r);
    } else {
        request_limit(r, c->shared->config->timeouts.request);
        blocking_limit(r->deadline);
        thread_admit(c, r, p);
        blocking_limit(NO_DEADLINE);
    }
    c->unread |= r->body && !r->body->complete;
    if (request_broke_off(r)) {
        transport_send(c);                   /* what is whole before it, too */
        c->gone = true;
    }
}

/* All that is to be known of it is known. */
static void thread_end_request(request *r)
{
    const thread_connection *const c = r->connection;
    r->gone |= c->gone;
    request_over(r);
    if (r->upgraded)
        thread_upgrade_free(r);
    request_done(r);
}

/* True if another request may follow. */
static bool thread_serve_request(thread_connection *c, const request_parser *p, size_t head)
{
    _Alignas(max_align_t) char on_stack[ROOM];
    const size_t size = request_parser_size(p, false, ARENA);
    request_count_begun();
    const bool small = size <= ROOM;
    request *r = small ? (request *)on_stack : mem_resize(NULL, size);

    request_parser_init(p, r, small ? ROOM : size, false, uv_hrtime());
    r->connection = c;
    r->out = &c->out;
    r->scope.request = c->number & (RECORD_REQUESTS - 1);    /* it has one at a time */
    c->more = c->at > 0 || c->end > head + (p->head.chunked ? 0 : p->head.content_length);
    c->at += head;
    thread_answer(c, r, p);
    const bool more = r->keep_alive;
    thread_end_request(r);
    if (!small)
        mem_free(r);
    return more;
}

static void thread_refuse(thread_connection *c, int err)
{
    request r;
    request_init(&r, sizeof r, &NO_HEAD, false);
    r.connection = c;
    r.out = &c->out;
    request_count_begun();
    request_refuse(&r, err);
    thread_end_request(&r);
    c->unread = true;
}

/* The length of a whole head at the front of the input, 0 when none will come, or an error. */
static long thread_next_head(thread_connection *c, request_parser *p)
{
    const config *config = c->shared->config;
    uint64_t until = 0;

    if (transport_receive_next(c) != RECEIVE_BYTES)
        return 0;
    const peer from = thread_peer(c);
    for (;;) {
        const long size = request_parser_read(p, &c->scanner, c->input + c->at, c->end - c->at, config, c->listener->router,
                                              &from);
        if (size)
            return size;
        if (!until) {
            transport_send(c);
            until = deadline_in(config->timeouts.head);
        }
        if (c->gone)
            return 0;
        const receive_result came = transport_receive_until(c, until);
        if (came != RECEIVE_BYTES)
            return came == RECEIVE_TIMEOUT ? HTTP_STATUS(408) : 0;
    }
}

/* False if it is to end: a proxy has not said in time, or not as it must, for whom it speaks. */
static bool thread_take_proxy_header(thread_connection *c)
{
    const peer p = thread_peer(c);
    if (!c->listener->proxy_protocol || !peer_is_trusted(&p))
        return true;
    const uint64_t until = deadline_in(c->shared->config->timeouts.head);
    for (;;) {
        const long size = proxy_header_read(&c->told, c->input + c->at, c->end - c->at);
        if (size < 0)
            log_warning("a trusted proxy has not begun with a header of the PROXY protocol, at %s", c->listener->address);
        c->at += size > 0 ? (size_t)size : 0;
        if (size != 0)
            return size > 0;
        if (transport_receive_until(c, until) != RECEIVE_BYTES)
            return false;
    }
}

static void socket_limit_time(int fd, int option, uint64_t ms)
{
    const struct timeval t = { (time_t)(ms / 1000), (suseconds_t)(ms % 1000 * 1000) };
    setsockopt(fd, SOL_SOCKET, option, &t, sizeof t);
}

void thread_connection_run(thread_connection *c)
{
    const config *config = c->shared->config;
    request_parser parser;
    bool first = true, more = true;

    parser.head.host_length = 0;             /* the rest is the request's, but this is kept from one to the next */
    request_host_here = &host;
    socket_limit_time(c->fd, SO_RCVTIMEO, config->timeouts.head);
    socket_limit_time(c->fd, SO_SNDTIMEO, config->timeouts.write / 4 + 1);
    blocking_follow(c->fd, HALF_CLOSE_TIMEOUT);
    c->gone = !thread_take_proxy_header(c);
    while (more && !c->gone) {
        const long head = thread_next_head(c, &parser);
        if (head == 0)
            break;
        if (head > 0)
            more = thread_serve_request(c, &parser, (size_t)head);
        else
            thread_refuse(c, (int)head);
        more = more && !c->unread;
        if (c->out.length > TOGETHER)
            transport_send(c);
        if (first && config->timeouts.idle != config->timeouts.head)
            socket_limit_time(c->fd, SO_RCVTIMEO, config->timeouts.idle);
        first = false;
    }
    transport_send(c);
    blocking_follow(-1, 0);
    if (c->gone && atomic_load(&c->delimits))
        client_socket_reset(c->fd);
    if (!c->gone && (c->unread || !transport_is_quiet(c)))
        transport_linger(c);
}

uint64_t thread_stop_time(const thread_connection *c)
{
    const thread_shared *s = c->shared;
    return atomic_load(&s->draining) ? s->stopped + s->spread / STOP_PARTS * (uint64_t)stop_part(c->fd) : NO_DEADLINE;
}

void thread_connection_log(const thread_connection *c)
{
    struct sockaddr_storage client = { 0 };
    socklen_t length = sizeof client;
    char host[NI_MAXHOST] = "?", port[NI_MAXSERV] = "?";
    getpeername(c->fd, (struct sockaddr *)&client, &length);
    getnameinfo((struct sockaddr *)&client, length, host, sizeof host, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV);
    const route *r = atomic_load_explicit(&c->answering, memory_order_relaxed);
    const uint64_t since = atomic_load_explicit(&c->since, memory_order_relaxed);
    if (r)
        log_list("thread of %s port %s: %s %s, %llu ms old", host, port, r->method, r->path,
                 (unsigned long long)(uv_hrtime() - since) / 1000000);
    else
        log_list("thread of %s port %s: waits for a request", host, port);
}

thread_connection *thread_connection_new(const thread_shared *shared, const listener *listener, int fd)
{
    static atomic_uint count;
    thread_connection *c = mem_resize(NULL, sizeof *c + THREAD_INPUT);
    *c = (thread_connection){ .shared = shared, .listener = listener, .fd = fd };
    if (request_over_names_clients())
        client_name_of(&c->client, fd);
    shard_add(SHARD_CONNECTIONS, 1);
    shard_add(SHARD_ACCEPTED, 1);
    c->number = (uint16_t)(atomic_fetch_add(&count, 1) % (RECORD_REQUESTS - 1) + 1);
    return c;
}

void thread_connection_free(thread_connection *c)
{
    output_free(&c->out);
    mem_free(c);
    shard_add(SHARD_CONNECTIONS, -1);
}
