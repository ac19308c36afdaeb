/* gallery.c - see gallery.h: which patterns there are, and running one. */
#include "gallery.h"
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
    pattern(SLEEP_BAD)                   \
    pattern(SLEEP_GOOD)                  \
    pattern(FORGOTTEN_BAD)               \
    pattern(FORGOTTEN_GOOD)              \
    pattern(CPU_BAD)                     \
    pattern(CPU_GOOD)

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

enum { AT_ONCE = 8, LONGEST = 2500 };        /* runs in the process; milliseconds of one on a loop */

static atomic_int running, heavy_running;

const pattern *gallery_find(text name)
{
    for (int i = 0; i < PATTERN_COUNT; i++)
        if (text_equal(name, text_of(PATTERNS[i]->name)))
            return PATTERNS[i];
    return NULL;
}

const char *gallery_refusal(const pattern *p)
{
    if (!loop_here() && p->not_in_threads)
        return p->not_in_threads;
    if (p->on_postgres && !site_on_postgres())
        return "This one needs PostgreSQL, and this server has SQLite: start it with --database postgresql://...";
    return NULL;
}

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

/* How long all other work on this loop has to wait meanwhile: how much too late a short sleep ends. */
struct probe { int64_t longest; };           /* milliseconds */

static async int run_probe(void *arg)
{
    struct probe *p = arg;
    for (int err = 0; !err;) {
        const uint64_t before = uv_hrtime();
        track_expects("sleep_for(1)", 0);
        err = (await)(sleep_for(1));
        const int64_t late = (int64_t)(uv_hrtime() - before) / 1000000 - 1;
        if (late > p->longest)
            p->longest = late;
    }
    return 0;
}

static async int run_probed(recording *r)
{
    struct probe probe = { 0 };
    promise *probing = task_start("everybody else", run_probe, &probe);
    track_enter(NULL);
    (await)(sleep_for(10));                  /* what is usual */
    track_enter(r->run.root);
    promise *work = run_start(r);
    track_enter(NULL);
    const int outcome = (await)(with_timeout(work, LONGEST));
    (await)(sleep_for(10));
    promise_cancel(probing);
    (await)(probing);
    figure_is(&r->run, "others waited, at most", probe.longest, "ms");
    return outcome;
}

static void free_trace(void *arg) { trace_free(arg); }

int gallery_run(const pattern *p, request *req, recording *r)
{
    if (!run_enter(p))
        return refuse(REFUSED_PATTERNS, 0);
    trace *t = trace_new("run");
    arena_defer(request_arena(req), free_trace, t);
    *r = (recording){ .pattern = p, .run = { .req = req, .root = trace_root(t) }, .trace = t };
    track_enter(r->run.root);
    if (p->probed && loop_here()) {
        r->outcome = run_probed(r);
    } else {
        promise *work = run_start(r);
        track_enter(NULL);                   /* a blocking thread has done it right there */
        r->outcome = (await)(loop_here() ? with_timeout(work, LONGEST) : work);
    }
    while (trace_open(t) > 1 && !(await)(sleep_for(5)))
        ;                                    /* what goes on in the background is to be seen */
    trace_stop(t);
    run_leave(p);
    return 0;
}
