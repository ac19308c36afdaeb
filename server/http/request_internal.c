/* request_internal.c - see request_internal.h: how a request begins, and how it ends. */
#include "request_internal.h"
#include "server/async/scope_for.h"
#include "server/base/list.h"
#include "server/base/log.h"
#include "server/base/memory.h"
#include "server/base/observe/recorder.h"
#include "server/base/observe/slowest.h"

const head NO_HEAD = { .at = "" };

_Thread_local const request_host *request_host_here;

static size_t head_size(const head *h) { return (size_t)h->count * sizeof(header) + h->length; }

static size_t request_fixed_size(const head *h, bool apart) { return sizeof(request) + (apart ? sizeof(void *) : head_size(h)); }

size_t request_size(const head *h, bool apart, size_t more) { return request_fixed_size(h, apart) + more; }

/* Where a part of the head, or a constant, is in our copy of the head. */
static span head_span(const head *h, text t)
{
    const bool ours = t.at >= h->at && t.at <= h->at + h->length;
    return (span){ ours ? (uint16_t)(t.at - h->at) : 0, ours ? (uint16_t)t.length : 0 };
}

void request_init(void *room, size_t size, const head *h, bool apart)
{
    request *req = room;
    const size_t fixed = request_fixed_size(h, apart);
    *req = (request){ .method = h->method, .minor = h->minor, .keep_alive = h->keep_alive,
                      .header_count = (uint32_t)h->count & 0x1ff, .deadline = NO_DEADLINE, .apart = apart,
                      .path = head_span(h, h->path), .query = head_span(h, h->query) };
    if (apart)
        *(void **)(req + 1) = mem_resize(NULL, head_size(h));
    memcpy((void *)request_headers(req), h->headers, (size_t)h->count * sizeof(header));
    memcpy((void *)request_head(req), h->at, h->length);
    arena_init(&req->arena, (char *)room + fixed, size - fixed);
}

void request_end_head(request *req)
{
    if (!req->apart)
        return;
    mem_free(*(void **)(req + 1));
    req->apart = false;                      /* what it has no headers of lies behind it, too */
    req->header_count = 0;
    req->path = req->query = (span){ 0 };
}

void request_done(request *req)
{
    if (req->scope.request)
        scope_for_end(&req->scope);
    arena_done(&req->arena);
}

uint64_t request_bytes_sent(request *req)
{
    return req->status && !req->upgraded ? request_answer_so_far(req)->length - req->left : 0;
}

bool request_is_safe(const request *req)
{
    return (req->method == HTTP_GET || req->method == HTTP_HEAD || req->method == HTTP_OPTIONS) &&
           !(req->route && req->route->websocket);
}

void request_give_number(request *req)
{
    if (req->scope.request)
        return;
    req->scope.request = recorder_request() & (RECORD_REQUESTS - 1);
    scope_for_begin(&req->scope);
}

request *request_here(void)
{
    scope *const s = scope_for();
    return s ? container_of(s, request, scope) : NULL;
}

void request_has_waited(request *req, uint64_t since)
{
    enum { TENTH = 100000 };                 /* of a millisecond */
    const uint64_t now = uv_hrtime(), ns = now > since ? now - since : 0;
    req->waited = (uint16_t)(ns / TENTH < UINT16_MAX ? ns / TENTH : UINT16_MAX);
    request_give_number(req);
    recorder_add(RECORD_LINE, since, req->needs == NEEDS_PAGE ? "a page" : "the database", scope_is_for(&req->scope), 0);
    recorder_sum(RECORD_LINE, req->scope.label, ns);
}

/* What goes on for as long as its client wants to is not slow. */
static bool request_lasts(const request *req) { return req->upgraded || req->streamed || (req->body && req->body->streams); }

static __attribute__((noinline)) void request_keep(const request *req, uint64_t took, int err, const void *connection)
{
    slowest_keep(&(slowest_ended){ scope_is_for(&req->scope), req->started, took, recorder_clock(), err, connection });
}

static bool request_is_kept(const request *req, uint64_t took)
{
    return recorder_here && slowest_is(req->scope.label, took, req->started + took);
}

static __attribute__((noinline)) void request_record_unusual(const request *req, int err, const void *connection, uint64_t ms)
{
    const bool lasts = request_lasts(req);
    const uint64_t took = uv_hrtime() - req->started;
    recorder_add(RECORD_REQUEST, req->started, NULL, scope_is_for(&req->scope), err);
    if (lasts)
        return;
    shard_count_request(req->scope.label, took);
    if (request_is_kept(req, took))
        request_keep(req, took, err, connection);
    if (ms && took > ms * 1000000)
        recorder_ask_of_slow();
}

/* What is usual takes as little as it can: it is a part of every request. */
void request_record(const request *req, int err, const void *connection, uint64_t ms)
{
    if (!recorder_here || ms || request_lasts(req)) {
        request_record_unusual(req, err, connection, ms);
        return;
    }
    const uint64_t took = recorder_add_request(req->started, scope_is_for(&req->scope), err);
    shard_count_request(req->scope.label, took);
    if (slowest_is(req->scope.label, took, req->started + took))
        request_keep(req, took, err, connection);
}

void request_end(request *req, int err)
{
    char why[128];
    scope *const before = scope_enter(&req->scope);          /* what is logged is for it */
    if (!req->answered && !err)
        log_error("%s %s: the handler did not answer", req->route->method, req->route->path);
    else if (!err && request_broke_off(req))
        log_error("%s %s: the handler did not finish its answer", req->route->method, req->route->path);
    else if (err && status_of(err) == 500 && err > HTTP_STATUS(999))         /* those beyond have told their own */
        log_error("%s %s: %s", req->route->method, req->route->path,
                  err == HTTP_STATUS(500) ? "the handler failed" : uv_strerror_r(err, why, sizeof why));
    scope_enter(before);
    if (!req->answered)
        respond_error(req, err ? err : HTTP_STATUS(500));
}

bool request_run_before(request *req, int *err)
{
    scope *const before = scope_enter(&req->scope);
    *err = 0;
    for (middleware *const *m = req->route->before; *m && !*err && !req->answered; m++)
        *err = (*m)(req);
    scope_enter(before);
    return !*err && !req->answered;
}

void request_limit(request *req, uint64_t ms)
{
    if (!request_may_wait(req) || (req->body && req->body->streams))         /* which is still coming */
        return;
    if (ms > 0 && req->route->deadline > 0)
        ms = req->route->deadline;
    req->deadline = deadline_after(req->body ? uv_hrtime() : req->started, ms);
}

bool request_send_continue(request *req, bool begun)
{
    const bool waits = req->body->unannounced && !begun;
    req->body->unannounced = false;
    if (waits)
        output_append(req->out, TEXT("HTTP/1.1 100 Continue\r\n\r\n"));
    return waits;
}

bool request_is_plain_get(const request *req)
{
    return req->method == HTTP_GET && req->minor == 1 && req->keep_alive && !req->body && !req->gone;
}

void request_decline(request *req, int err)
{
    respond_error(req, err);
    req->finished = true;
}

void request_refuse(request *req, int err)
{
    req->keep_alive = false;
    request_decline(req, err);
}

size_t request_render_refusal(int err, bool html, bool keep_alive, char *to, size_t size)
{
    request r;
    output  out = { 0 };
    size_t  length = 0;
    request_init(&r, sizeof r, &NO_HEAD, false);
    r.out = &out;
    r.minor = 1;
    r.keep_alive = keep_alive;
    respond_refusal(&r, err, html);
    for (const chunk *c = out.first; c && length + c->used <= size; c = c->next) {
        memcpy(to + length, chunk_left(c).at, c->used);
        length += c->used;
    }
    output_free(&out);
    request_done(&r);
    return length;
}

bool request_broke_off(const request *req) { return request_left(req) > 0 && !req->gone; }
