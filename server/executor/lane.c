/* lane.c - see lane.h. A loop's place in a lane is its own, so that it needs no lock; only what is
 * counted is common to all. */
#include "lane.h"
#include "server/base/line.h"
#include "server/async/loop.h"
#include "server/base/memory.h"
#include "server/base/refusal.h"

#include <assert.h>
#include <stdatomic.h>
#include <string.h>

enum { READY = 64 };                         /* jobs of each that may run: so many keep it busy until the next turn */

struct lane {
    const char      *name;
    int              most_running, most_waiting;             /* of each loop */
    uint64_t         target;                 /* codel.h's, in nanoseconds */
    atomic_int       running, waiting;       /* of all */
    _Atomic uint64_t done, refused;
};

static lane lanes[LANES] = {
    { .name = "cpu", .most_running = 4, .most_waiting = 1024 },
    { .name = "files", .most_running = 2, .most_waiting = 1024 },
};
static int count = 2;

lane *const LANE_CPU = &lanes[0], *const LANE_FILES = &lanes[1];

typedef struct entrant entrant;
struct entrant {
    line_place place;                        /* must be first; its link is NULL once it is inside */
    lane      *lane;
    void     (*admit)(entrant *e);           /* its turn has come */
    void     (*refuse)(entrant *e, int err); /* or will not */
};

static _Thread_local struct place { int running, waiting; line line; } here[LANES];

static struct place *place_in(const lane *l) { return &here[l - lanes]; }

lane *lane_add(const char *name, int running, int waiting)
{
    lane *l = lanes;
    while (l < lanes + count && strcmp(l->name, name) != 0)
        l++;
    if (l == lanes + count) {
        assert(count < LANES);
        count++;
    }
    l->name = name;
    l->most_running = running;
    l->most_waiting = waiting;
    return l;
}

void lane_set_target(lane *l, uint64_t ms) { l->target = ms * 1000000; }

int lane_room(const lane *l)
{
    const struct place *p = place_in(l);
    return READY * l->most_running - p->running - p->waiting;
}

int lane_count_all(lane_counts counts[LANES])
{
    for (int i = 0; i < count; i++)
        counts[i] = (lane_counts){ lanes[i].name, lanes[i].running, lanes[i].waiting, lanes[i].done, lanes[i].refused };
    return count;
}

/* Going in, waiting in line, and coming out. */

static void go_in(entrant *e)
{
    place_in(e->lane)->running++;
    e->lane->running++;
    e->admit(e);
}

static void line_up(entrant *e)
{
    struct place *p = place_in(e->lane);
    p->line.codel.target = e->lane->target;
    line_join(&p->line, &e->place);
    p->waiting++;
    e->lane->waiting++;
}

static void leave_line(entrant *e)
{
    struct place *p = place_in(e->lane);
    line_leave(&p->line, &e->place);
    p->waiting--;
    e->lane->waiting--;
}

/* Counts one, and says why. */
static int turn_away(lane *l, bool full, uint64_t waited)
{
    l->refused++;
    if (l == LANE_CPU)
        return refuse(full ? REFUSED_CPU_LINE : REFUSED_CPU_WAIT, waited);
    if (l == LANE_FILES)
        return refuse(full ? REFUSED_FILES_LINE : REFUSED_FILES_WAIT, waited);
    return UV_EAGAIN;
}

static bool is_full(const lane *l)
{
    const struct place *p = place_in(l);
    return p->running >= l->most_running && p->waiting >= l->most_waiting;
}

static void enter(entrant *e)
{
    if (place_in(e->lane)->running < e->lane->most_running)
        go_in(e);
    else
        line_up(e);
}

static void come_out(lane *l)
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
    for (const uint64_t now = p->line.first ? uv_hrtime() : 0; line_is_late(&p->line, now);) {
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
    lane *l = j->entrant.lane;
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

static promise *run_here(lane *l, int (*fn)(void *), void *arg)
{
    l->running++;
    const int err = fn(arg);
    l->running--;
    l->done++;
    return promise_settled(err);
}

promise *in_lane(lane *l, int (*fn)(void *), void *arg)
{
    if (!loop_here())
        return run_here(l, fn, arg);
    if (is_full(l))
        return promise_settled(turn_away(l, true, 0));

    struct job *j = pool_get(&jobs);
    j->entrant = (entrant){ .lane = l, .admit = submit, .refuse = refuse_job };
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

promise *lane_enter(lane *l)
{
    if (!loop_here()) {
        l->running++;
        return promise_settled(0);
    }
    if (is_full(l))
        return promise_settled(turn_away(l, true, 0));
    struct guest *g = pool_get(&guests);
    g->entrant = (entrant){ .lane = l, .admit = admit_guest, .refuse = refuse_guest };
    promise *p = g->promise = promise_new(cancel_guest, g);
    enter(&g->entrant);
    return p;
}

void lane_leave(lane *l)
{
    if (loop_here()) {
        come_out(l);
        return;
    }
    l->running--;
    l->done++;
}
