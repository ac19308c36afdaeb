/* executor.c - see executor.h. A loop's place in a executor is its own, so that it needs no lock; only what is
 * counted is common to all. */
#include "executor.h"
#include "server/base/wait_queue.h"
#include "server/async/loop.h"
#include "server/base/memory.h"
#include "server/base/refusal.h"

#include <assert.h>
#include <stdatomic.h>
#include <string.h>

enum { READY = 64 };                         /* jobs of each that may run: so many keep it busy until the next turn */

struct executor {
    const char      *name;
    int              most_running, most_waiting;             /* of each loop */
    uint64_t         target;                 /* codel.h's, in nanoseconds */
    atomic_int       running, waiting;       /* of all */
    _Atomic uint64_t done, refused;
};

static executor executors[MAX_EXECUTORS] = {
    { .name = "cpu", .most_running = 4, .most_waiting = 1024 },
    { .name = "files", .most_running = 2, .most_waiting = 1024 },
};
static int count = 2;

executor *const EXECUTOR_CPU = &executors[0], *const EXECUTOR_FILES = &executors[1];

typedef struct entrant entrant;
struct entrant {
    wait_queue_entry place;                        /* must be first; its link is NULL once it is inside */
    executor      *executor;
    void     (*admit)(entrant *e);           /* its turn has come */
    void     (*refuse)(entrant *e, int err); /* or will not */
};

static _Thread_local struct place { int running, waiting; wait_queue line; } here[MAX_EXECUTORS];

static struct place *place_in(const executor *l) { return &here[l - executors]; }

executor *executor_add(const char *name, int running, int waiting)
{
    executor *l = executors;
    while (l < executors + count && strcmp(l->name, name) != 0)
        l++;
    if (l == executors + count) {
        assert(count < MAX_EXECUTORS);
        count++;
    }
    l->name = name;
    l->most_running = running;
    l->most_waiting = waiting;
    return l;
}

void executor_set_target(executor *l, uint64_t ms) { l->target = ms * 1000000; }

int executor_room(const executor *l)
{
    const struct place *p = place_in(l);
    return READY * l->most_running - p->running - p->waiting;
}

int executor_count_all(executor_counts counts[MAX_EXECUTORS])
{
    for (int i = 0; i < count; i++)
        counts[i] = (executor_counts){ executors[i].name, executors[i].running, executors[i].waiting, executors[i].done, executors[i].refused };
    return count;
}

/* Going in, waiting in line, and coming out. */

static void go_in(entrant *e)
{
    place_in(e->executor)->running++;
    e->executor->running++;
    e->admit(e);
}

static void line_up(entrant *e)
{
    struct place *p = place_in(e->executor);
    p->line.codel.target = e->executor->target;
    wait_queue_join(&p->line, &e->place);
    p->waiting++;
    e->executor->waiting++;
}

static void leave_line(entrant *e)
{
    struct place *p = place_in(e->executor);
    wait_queue_leave(&p->line, &e->place);
    p->waiting--;
    e->executor->waiting--;
}

/* Counts one, and says why. */
static int turn_away(executor *l, bool full, uint64_t waited)
{
    l->refused++;
    if (l == EXECUTOR_CPU)
        return refuse(full ? REFUSED_CPU_LINE : REFUSED_CPU_WAIT, waited);
    if (l == EXECUTOR_FILES)
        return refuse(full ? REFUSED_FILES_LINE : REFUSED_FILES_WAIT, waited);
    return UV_EAGAIN;
}

static bool is_full(const executor *l)
{
    const struct place *p = place_in(l);
    return p->running >= l->most_running && p->waiting >= l->most_waiting;
}

static void enter(entrant *e)
{
    if (place_in(e->executor)->running < e->executor->most_running)
        go_in(e);
    else
        line_up(e);
}

static void come_out(executor *l)
{
    struct place *p = place_in(l);
    p->running--;
    l->running--;
    l->done++;
    entrant *next = (entrant *)p->line.first;
    if (next) {
        leave_line(next);
        go_in(next);
    }
    for (const uint64_t now = p->line.first ? uv_hrtime() : 0; wait_queue_is_late(&p->line, now);) {
        next = (entrant *)p->line.first;
        leave_line(next);
        next->refuse(next, turn_away(l, false, now - next->place.since));
    }
}

/* Jobs. */

struct job {
    entrant     entrant;                     /* must be first */
    uv_work_t   work;
    promise    *promise;
    int       (*fn)(void *);
    void       *arg;
    int         result;
};

static _Thread_local pool jobs = POOL(struct job);

static void finish(struct job *j, int err)
{
    promise_settle(j->promise, err);
    pool_put(&jobs, j);
}

static void work(uv_work_t *w)
{
    struct job *j = w->data;
    j->result = j->fn(j->arg);
}

static void worked(uv_work_t *w, int status)
{
    struct job *j = w->data;
    executor *l = j->entrant.executor;
    loop_enter();
    finish(j, status ? status : j->result);
    come_out(l);
    loop_leave();
}

static void submit(entrant *e)
{
    struct job *j = (struct job *)e;
    uv_queue_work(loop_here(), &j->work, work, worked);      /* fails only without a work function */
}

static void refuse_job(entrant *e, int err) { finish((struct job *)e, err); }

static void cancel_job(promise *p, void *arg)
{
    struct job *j = arg;
    (void)p;
    if (!j->entrant.place.link) {
        uv_cancel((uv_req_t *)&j->work);     /* only works while the pool has not begun it */
        return;
    }
    leave_line(&j->entrant);
    finish(j, UV_ECANCELED);
}

static promise *run_here(executor *l, int (*fn)(void *), void *arg)
{
    l->running++;
    const int err = fn(arg);
    l->running--;
    l->done++;
    return promise_settled(err);
}

promise *run_in_executor(executor *l, int (*fn)(void *), void *arg)
{
    if (!loop_here())
        return run_here(l, fn, arg);
    if (is_full(l))
        return promise_settled(turn_away(l, true, 0));

    struct job *j = pool_get(&jobs);
    j->entrant = (entrant){ .executor = l, .admit = submit, .refuse = refuse_job };
    j->work.data = j;
    j->fn = fn;
    j->arg = arg;
    promise *p = j->promise = promise_new(cancel_job, j);
    enter(&j->entrant);
    return p;
}

/* Guests: what comes to the pool by another way. */

struct guest { entrant entrant; promise *promise; };         /* entrant must be first */

static _Thread_local pool guests = POOL(struct guest);

static void answer(struct guest *g, int err)
{
    promise_settle(g->promise, err);
    pool_put(&guests, g);
}

static void admit_guest(entrant *e) { answer((struct guest *)e, 0); }

static void refuse_guest(entrant *e, int err) { answer((struct guest *)e, err); }

static void cancel_guest(promise *p, void *arg)
{
    struct guest *g = arg;
    (void)p;
    leave_line(&g->entrant);
    answer(g, UV_ECANCELED);
}

promise *executor_enter(executor *l)
{
    if (!loop_here()) {
        l->running++;
        return promise_settled(0);
    }
    if (is_full(l))
        return promise_settled(turn_away(l, true, 0));
    struct guest *g = pool_get(&guests);
    g->entrant = (entrant){ .executor = l, .admit = admit_guest, .refuse = refuse_guest };
    promise *p = g->promise = promise_new(cancel_guest, g);
    enter(&g->entrant);
    return p;
}

void executor_leave(executor *l)
{
    if (loop_here()) {
        come_out(l);
        return;
    }
    l->running--;
    l->done++;
}
