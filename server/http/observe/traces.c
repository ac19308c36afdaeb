/* traces.c - see traces.h. */
#include "traces.h"
#include "otlp.h"
#include "server/async/task.h"
#include "server/base/blocking_wait.h"
#include "server/base/log.h"
#include "server/base/memory.h"
#include "server/base/observe/recorder.h"
#include "server/base/thread.h"
#include "server/http/client/client.h"
#include "server/http/request.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdalign.h>
#include <stddef.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    GATHER = 1000, SEND = 5000, LAST = 1000, /* ms: of a batch; to send one, and the last one */
    TRIES = 5, FIRST_PAUSE = 1000,           /* ms */
    SCRATCH = 8192,                          /* bytes on the stack for a request's spans */
};

atomic_bool traces_on;

typedef struct batch { char *at; size_t length; uint64_t spans; } batch;

static struct {
    const char      *database;
    bool             running;                /* the thread, from the first traces_start to the end */
    pthread_t        thread;
    pthread_mutex_t  lock;                   /* of options, filling and stopping */
    traces_options   options;
    uv_cond_t        wake;
    batch            filling, sending;
    bool             stopping;
    int              client[2];              /* its thread waits as if for a client: the first is shut when it stops */
    bool             failing;                /* the thread's: the last try was in vain */
    _Atomic uint64_t sent, dropped;
} traces = { .lock = PTHREAD_MUTEX_INITIALIZER };

traces_counts traces_count(void) { return (traces_counts){ atomic_load(&traces.sent), atomic_load(&traces.dropped) }; }

/* Filling. */

static void traces_add(text spans, int count)
{
    pthread_mutex_lock(&traces.lock);
    batch *const b = &traces.filling;
    const size_t before = b->length, needs = spans.length + (before > 0);
    if (needs > TRACES_BATCH - before) {
        atomic_fetch_add(&traces.dropped, (uint64_t)count);
    } else {
        if (before > 0)
            b->at[b->length++] = ',';
        memcpy(b->at + b->length, spans.at, spans.length);
        b->length += spans.length;
        b->spans += (uint64_t)count;
        if (before == 0 || (before < TRACES_BATCH / 2 && b->length >= TRACES_BATCH / 2))
            uv_cond_signal(&traces.wake);
    }
    pthread_mutex_unlock(&traces.lock);
}

/* Is it one that is kept? */
static bool request_is_sampled(request *req)
{
    if (!req->identified || !req->identity->traced) {
        const bool told = request_header(req, "traceparent").length > 0;
        if (!told && !identity_is_sampled())
            return false;
        request_trace(req);
        req->identity->trace.sampled |= !told;               /* it was chosen just now */
    }
    return req->identity->trace.sampled;
}

void traces_request_over(request *req, text client)
{
    _Alignas(max_align_t) char room[SCRATCH];
    slow_request did;
    struct timespec wall;
    arena a;
    buffer b;
    if (!req->started || !request_is_sampled(req))
        return;
    const uint64_t clock = recorder_clock(), now = recorder_ns(clock);
    const uint64_t took = now > req->started ? now - req->started : 0;
    const record_for whom = scope_is_for(&req->scope);
    const bool recorded = recorder_here && whom.request;
    if (recorded)
        slowest_read(&did, &(slowest_ended){ whom, req->started, took, clock, 0, NULL });
    clock_gettime(CLOCK_REALTIME, &wall);
    const uint64_t end = (uint64_t)wall.tv_sec * 1000000000 + (uint64_t)wall.tv_nsec;
    const otlp_request r = {
        .identity = req->identity, .did = recorded ? &did : NULL, .since = end - took, .end = end, .ended = now,
        .name = req->route ? text_of(label_name(req->scope.label)) : request_method(req),
        .route = req->route ? text_of(req->route->path) : TEXT(""), .method = request_method(req), .path = request_path(req),
        .query = request_query_string(req), .client = client, .agent = request_header(req, "user-agent"), .minor = req->minor,
        .status = (int)req->status, .bytes = request_bytes_sent(req),
    };
    arena_init(&a, room, sizeof room);
    buffer_init(&b, &a);
    const int count = otlp_write(&b, &r, traces.database);
    traces_add(buffer_all(&b), count);
    arena_done(&a);
}

/* Sending. */

static bool status_passes_by_itself(int status) { return status == 429 || (status >= 502 && status <= 504); }

static void traces_has_failed(const char *endpoint, int err, int status)
{
    if (!traces.failing && err)
        log_warning("traces: cannot send to %s: %s", endpoint, uv_strerror(err));
    else if (!traces.failing)
        log_warning("traces: %s answers %d", endpoint, status);
    traces.failing = true;
}

typedef enum send_outcome { SENT, AGAIN, REFUSED } send_outcome;

static send_outcome traces_send(const traces_options *o, uint64_t ms)
{
    arena a;
    buffer b;
    http_answer got = { 0 };
    arena_init(&a, NULL, 0);
    buffer_init(&b, &a);
    otlp_write_head(&b, text_of(o->service));
    buffer_text(&b, (text){ traces.sending.at, traces.sending.length });
    otlp_write_tail(&b);
    const http_call call = { .method = "POST", .url = o->endpoint, .type = "application/json",
                             .body = buffer_all(&b), .timeout_ms = ms };
    const int err = await(http_fetch(&a, &call, &got));
    arena_done(&a);
    if (err || got.status / 100 != 2) {
        if (err != UV_ECANCELED)             /* else it stops, and does this once more */
            traces_has_failed(o->endpoint, err, got.status);
        return err || status_passes_by_itself(got.status) ? AGAIN : REFUSED;
    }
    if (traces.failing)
        log_info("traces: %s takes them again", o->endpoint);
    traces.failing = false;
    return SENT;
}

/* Under the lock: until then, of uv_hrtime, or it stops, or, if more is wanted, half of the batch is full. */
static void traces_wait(uint64_t until, bool more)
{
    for (uint64_t now; !traces.stopping && (now = uv_hrtime()) < until &&
                       !(more && traces.filling.length >= TRACES_BATCH / 2);)
        uv_cond_timedwait(&traces.wake, &traces.lock, until - now);
}

static void traces_send_batch(void)          /* called with the lock, which it gives up meanwhile */
{
    const batch empty = { .at = traces.sending.at };
    send_outcome outcome;
    traces.sending = traces.filling;
    traces.filling = empty;
    for (int tries = 1;; tries++) {
        const bool last = traces.stopping;
        const traces_options o = traces.options;
        pthread_mutex_unlock(&traces.lock);
        if (last)
            blocking_follow(-1, 0);          /* this one is not interrupted */
        outcome = traces_send(&o, last ? LAST : SEND);
        pthread_mutex_lock(&traces.lock);
        if (outcome != AGAIN || last || (tries >= TRIES && !traces.stopping))
            break;
        traces_wait(deadline_in((o.pause_ms ? o.pause_ms : FIRST_PAUSE) << (tries - 1)), false);
    }
    atomic_fetch_add(outcome == SENT ? &traces.sent : &traces.dropped, traces.sending.spans);
}

static void *traces_run(void *arg)
{
    blocking_follow(traces.client[0], 0);
    pthread_mutex_lock(&traces.lock);
    for (;;) {
        while (traces.filling.length == 0 && !traces.stopping)
            uv_cond_wait(&traces.wake, &traces.lock);
        if (traces.filling.length == 0)
            break;
        traces_wait(deadline_in(GATHER), true);
        traces_send_batch();
    }
    pthread_mutex_unlock(&traces.lock);
    blocking_follow(-1, 0);
    pool_done_all();
    return arg;
}

static void traces_free(void)
{
    close(traces.client[0]);
    mem_free(traces.filling.at);
    mem_free(traces.sending.at);
    uv_cond_destroy(&traces.wake);
}

static int traces_begin(const char *database)
{
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, traces.client))
        return -errno;
    uv_cond_init(&traces.wake);
    traces.database = database;
    traces.filling = (batch){ .at = mem_resize(NULL, TRACES_BATCH) };
    traces.sending = (batch){ .at = mem_resize(NULL, TRACES_BATCH) };
    traces.stopping = traces.failing = false;
    const int err = thread_start(&traces.thread, traces_run, NULL);
    traces.running = !err;
    if (err) {
        close(traces.client[1]);
        traces_free();
    }
    return err;
}

int traces_prepare(const traces_options *o)
{
    if (strncmp(o->endpoint, "http://", 7) != 0 && strncmp(o->endpoint, "https://", 8) != 0)
        return UV_EINVAL;
    return traces.running ? 0 : traces_begin(o->database);
}

int traces_start(const traces_options *o)
{
    const int err = traces_prepare(o);
    if (err)
        return err;
    pthread_mutex_lock(&traces.lock);
    traces.options = *o;
    pthread_mutex_unlock(&traces.lock);
    identity_sample(o->sample);
    atomic_store(&traces_on, true);
    return 0;
}

void traces_pause(void)
{
    atomic_store(&traces_on, false);
    identity_sample(0);
}

void traces_stop(void)
{
    if (!traces.running)
        return;
    traces_pause();
    traces.running = false;
    pthread_mutex_lock(&traces.lock);
    traces.stopping = true;
    uv_cond_signal(&traces.wake);
    pthread_mutex_unlock(&traces.lock);
    close(traces.client[1]);
    pthread_join(traces.thread, NULL);
    traces_free();
}
