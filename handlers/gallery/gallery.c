/* gallery.c - see gallery.h: which patterns there are, and running one. */
#include "gallery.h"
#include "visitor.h"
#include "server/async/loop.h"
#include "server/base/overload/refusal.h"

#include <stdatomic.h>

/* In the order of the page, which is that of their groups. */
#define EACH_PATTERN(pattern)            \
    pattern(BLOCKING)                    \
    pattern(CALLBACKS)                   \
    pattern(PROMISES)                    \
    pattern(AWAIT)                       \
    pattern(ALL)                         \
    pattern(SEQUENTIAL_GATHER_PIPELINE)  \
    pattern(RACE)                        \
    pattern(ANY)                         \
    pattern(ALL_SETTLED)                 \
    pattern(HUNDRED_SLEEPERS)            \
    pattern(TEN_THOUSAND_SLEEPERS)       \
    pattern(THREADS)                     \
    pattern(PROCESSES)                   \
    pattern(TIMEOUT)                     \
    pattern(SEMAPHORE)                   \
    pattern(BACK_PRESSURE)               \
    pattern(BACKGROUND)                  \
    pattern(WEBSOCKET)                   \
    pattern(EVENTS)                      \
    pattern(EITHER)                      \
    pattern(PHASES)                      \
    pattern(PITFALL_SLEEP)               \
    pattern(PITFALL_CPU)                 \
    pattern(PITFALL_FORGOTTEN)

#define DECLARE(name) extern const pattern PATTERN_##name;
EACH_PATTERN(DECLARE)

#define LIST(name) &PATTERN_##name,
const pattern *const PATTERNS[] = { EACH_PATTERN(LIST) };
const int PATTERN_COUNT = sizeof PATTERNS / sizeof PATTERNS[0];

const char *const GROUP_TITLES[GROUP_COUNT] = {
    [GROUP_WRITTEN]   = "Four ways to write it",
    [GROUP_TOGETHER]  = "Several things at once",
    [GROUP_MANY]      = "Very many",
    [GROUP_OFF_LOOP]  = "Off the loop",
    [GROUP_BOUNDS]    = "Limits, queues and time",
    [GROUP_REAL_TIME] = "In real time",
    [GROUP_LOOP]      = "The loop itself",
    [GROUP_PITFALLS]  = "Pitfalls, and the way around each",
};

enum { AT_ONCE = 8 };                        /* runs in the process */

static uint64_t timeout;                     /* milliseconds of one on a loop */
static atomic_int running, heavy_running;

void gallery_configure(uint64_t timeout_ms) { timeout = timeout_ms; }

const pattern *gallery_find(text name)
{
    for (int i = 0; i < PATTERN_COUNT; i++)
        if (text_equal(name, text_of(PATTERNS[i]->name)))
            return PATTERNS[i];
    return NULL;
}

const char *gallery_refusal(const pattern *p) { return loop_here() ? NULL : p->not_in_threads; }

/* Both modes have this one limit: runs are for looking at, and must leave the server to its work. */
static bool run_enter(const pattern *p)
{
    if (atomic_fetch_add(&running, 1) < AT_ONCE) {
        if (!p->heavy || atomic_fetch_add(&heavy_running, 1) < 1)
            return true;
        atomic_fetch_sub(&heavy_running, 1);
    }
    atomic_fetch_sub(&running, 1);
    return false;
}

static void run_leave(const pattern *p)
{
    atomic_fetch_sub(&running, 1);
    if (p->heavy)
        atomic_fetch_sub(&heavy_running, 1);
}

static int run_as_task(void *arg)
{
    recording *r = arg;
    return (r->pattern->await)(&r->run);      /* in parentheses it is no macro, see pattern.h */
}

static void run_on_done(int err, void *arg) { promise_settle(arg, err); }

static promise *run_start(recording *r)
{
    const pattern *p = r->pattern;
    if (p->await)
        return task_start(p->name, run_as_task, r);
    if (p->promise)
        return p->promise(&r->run);
    promise *done = promise_new(NULL, NULL);
    p->callback(&r->run, run_on_done, done);
    return done;
}

static void free_trace(void *arg) { trace_free(arg); }

/* With some time before and after it, to see what is usual. */
static async int run_visited(recording *r, visitor *v)
{
    enum { USUAL = 30 };                     /* milliseconds */
    visits seen;
    track_enter(NULL);
    visitor_begin(v, r->run.root);
    (await)(sleep_for(USUAL));
    track_enter(r->run.root);
    promise *work = run_start(r);
    track_enter(NULL);
    const int outcome = (await)(loop_here() ? with_timeout(work, timeout) : work);
    (await)(sleep_for(USUAL));
    visitor_end(v, &seen);
    figure_is(&r->run, "requests by others", seen.answered, "");
    figure_is(&r->run, "others waited, usually", seen.median, "us");
    figure_is(&r->run, "others waited, at most", seen.longest, "us");
    return outcome;
}

static async int run_alone(recording *r)
{
    promise *work = run_start(r);
    track_enter(NULL);                       /* a blocking thread has done it right there */
    return (await)(loop_here() ? with_timeout(work, timeout) : work);
}

static async int run_record(const pattern *p, int chosen, request *req, recording *r)
{
    visitor *v = NULL;
    const int err = p->visited ? visitor_open(&v, req) : 0;
    if (err)
        return err;
    trace *t = trace_new("run");
    arena_defer(request_arena(req), free_trace, t);
    *r = (recording){ .pattern = p, .run = { .req = req, .root = trace_root(t), .chosen = chosen }, .trace = t };
    track_enter(r->run.root);
    r->outcome = v ? run_visited(r, v) : run_alone(r);
    while (trace_open(t) > 1 && !(await)(sleep_for(5)))
        ;                                    /* what goes on in the background is to be seen */
    trace_stop(t);
    return 0;
}

static async int run_twins(const pattern *p, int chosen, request *req, recording *r)
{
    *r = (recording){ .pattern = p, .twins = request_alloc(req, 2 * sizeof *r->twins) };
    const int err = run_record(p->twins[0], chosen, req, &r->twins[0]);
    return err ? err : run_record(p->twins[1], chosen, req, &r->twins[1]);
}

int gallery_run(const pattern *p, int chosen, request *req, recording *r)
{
    if (!run_enter(p))
        return refuse(REFUSED_PATTERNS, 0);
    const int err = p->twins[0] ? run_twins(p, chosen, req, r) : run_record(p, chosen, req, r);
    run_leave(p);
    return err;
}
