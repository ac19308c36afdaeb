/* processes_loop.c - see processes.h: the workers of one loop, and the line before them.
 *
 * A worker has a place, which goes round:
 *
 *            +---------------------------------------------------+
 *            v                                                   |
 *     EMPTY ---> CHANGING ---> STARTING ---> IDLE <---> BUSY     | it died, was killed, or has
 *            ^      |             |            |         |       | done its number of jobs
 *            |      v             v            v         v       |
 *            +-- RESTING          +------------+---------+-------+
 *
 * CHANGING is all that blocks: the end of the old process and the start of the new, on the thread pool. Only
 * after starts that failed there is a rest, so that workers that cannot start are not started all the time. */
#include "lane.h"
#include "loop.h"
#include "processes_pool.h"
#include "server/memory.h"
#include "timer.h"

#include <assert.h>
#include <poll.h>

enum { STARTS = 2 };                         /* at once, of each loop */

struct place;

enum state { EMPTY, RESTING, CHANGING, STARTING, IDLE, BUSY };

typedef struct errand {                      /* a job on its way */
    process_task   task;
    promise       *promise;
    timer          limit;
    struct place  *place;                    /* NULL: in line */
    struct errand *next, **link;
} errand;

struct place {
    process      process;
    process_call call;                       /* what the process and we are talking of */
    uv_poll_t    poll;                       /* of its socket, but while it is CHANGING */
    timer        timer;                      /* until when it must have started, or rests */
    enum state   state;
    errand      *errand;                     /* of one that is BUSY */
    int          done;                       /* jobs of this process */
    unsigned     failures;                   /* starts that failed, one after the other */
    int          grace;                      /* while CHANGING: for the old process to end */
    const char  *died_of;                    /* as worker_end has it */
    bool         next;                       /* a new process is to follow the old one */
};

static _Thread_local struct crew {
    struct place *places;
    int           count, waiting;
    errand       *first, **last;             /* in line */
    promise      *closing;                   /* settles when all places are empty */
} *crew;                                     /* of this loop; NULL until it is needed */

static _Thread_local pool errands = POOL(errand);

static lane *starts;

static void serve_line(void);
static void refresh(struct place *p, int grace, const char *died_of);

/* The line. */

static void line_up(errand *e)
{
    if (!crew->first)
        crew->last = &crew->first;
    e->link = crew->last;
    *crew->last = e;
    crew->last = &e->next;
    crew->waiting++;
    processes_tally.waiting++;
}

static void leave_line(errand *e)
{
    *e->link = e->next;
    if (e->next)
        e->next->link = e->link;
    else
        crew->last = e->link;
    crew->waiting--;
    processes_tally.waiting--;
}

static void finish(errand *e, int err)
{
    timer_stop(&e->limit);
    promise_settle(e->promise, err);
    pool_put(&errands, e);
}

/* Nobody wants its answer any more: whoever works at it is killed, for that is how to stop it. */
static void give_up(errand *e, int err)
{
    struct place *p = e->place;
    if (p) {
        processes_tally.killed++;
        if (err == UV_ETIMEDOUT)
            worker_late(&p->process, e->task.name);
        refresh(p, 0, NULL);
    } else {
        leave_line(e);
    }
    finish(e, err);
}

static void cancel(promise *p, void *arg)
{
    (void)p;
    give_up(arg, UV_ECANCELED);
}

static void on_limit(timer *t) { give_up((errand *)((char *)t - offsetof(errand, limit)), UV_ETIMEDOUT); }

static int count(enum state state)
{
    int n = 0;
    for (int i = 0; i < crew->count; i++)
        n += crew->places[i].state == state;
    return n;
}

static struct place *find(enum state state)
{
    for (int i = 0; i < crew->count; i++)
        if (crew->places[i].state == state)
            return &crew->places[i];
    return NULL;
}

/* Only those that rest are left: it would be long until one has a worker, if ever. */
static void refuse_all_if_none_will_come(void)
{
    if (count(RESTING) < crew->count)
        return;
    while (crew->first) {
        errand *e = crew->first;
        processes_tally.refused++;
        leave_line(e);
        finish(e, UV_EAGAIN);
    }
}

/* Changing a place's process. */

static int change_there(void *arg)           /* on the thread pool */
{
    struct place *p = arg;
    worker_end(&p->process, p->grace, p->died_of);
    return p->next ? worker_start(&p->process) : 0;
}

static void free_crew_if_closed(void)
{
    if (!crew->closing || count(EMPTY) < crew->count)
        return;
    promise_settle(crew->closing, 0);
    mem_free(crew->places);
    mem_free(crew);
    crew = NULL;
}

static void on_rested(timer *t);
static void on_slow_start(timer *t);
static void on_event(uv_poll_t *h, int status, int events);

static void watch(struct place *p, int events)
{
    uv_poll_start(&p->poll, (events & POLLOUT ? UV_WRITABLE : UV_READABLE) | UV_DISCONNECT, on_event);
}

static void begin_start(struct place *p)
{
    p->state = STARTING;
    p->done = 0;
    uv_poll_init(loop_here(), &p->poll, p->process.fd);
    process_call_greet(&p->call);
    watch(p, POLLIN);
    timer_set(&p->timer, WORKER_START, on_slow_start);
}

static void rest(struct place *p)
{
    p->state = RESTING;
    timer_set(&p->timer, worker_rest(p->failures), on_rested);
    refuse_all_if_none_will_come();
}

static void change(struct place *p, bool next);

static void on_changed(int err, void *arg)
{
    struct place *p = arg;
    if (crew->closing && p->process.pid) {
        p->grace = 0;
        p->died_of = NULL;
        change(p, false);
        return;
    }
    if (err) {
        p->failures++;
        worker_failed(err);
    }
    if (p->process.pid)
        begin_start(p);
    else if (p->failures > 0 && !crew->closing)
        rest(p);
    else
        p->state = EMPTY;
    free_crew_if_closed();
}

static void change(struct place *p, bool next)
{
    p->state = CHANGING;
    p->next = next;
    when_settled(in_lane(starts, change_there, p), on_changed, p);
}

static void on_poll_closed(uv_handle_t *h)
{
    struct place *p = (struct place *)((char *)h - offsetof(struct place, poll));
    loop_enter();
    change(p, !crew->closing && p->failures == 0);
    loop_leave();
}

/* Its process has died, or is to end now. */
static void refresh(struct place *p, int grace, const char *died_of)
{
    if (p->state == BUSY)
        processes_tally.running--;
    p->state = CHANGING;
    p->errand = NULL;
    p->grace = grace;
    p->died_of = died_of;
    timer_stop(&p->timer);
    uv_close((uv_handle_t *)&p->poll, on_poll_closed);
}

static void on_rested(timer *t)
{
    change((struct place *)((char *)t - offsetof(struct place, timer)), true);
}

static void start_failed(struct place *p, int err)
{
    p->failures++;
    worker_failed(err);
    refresh(p, 0, err == UV_ETIMEDOUT ? NULL : worker_judge(&p->process, err, ""));
}

static void on_slow_start(timer *t)
{
    start_failed((struct place *)((char *)t - offsetof(struct place, timer)), UV_ETIMEDOUT);
}

/* Working. */

static void on_idle(struct place *p)
{
    p->state = IDLE;
    watch(p, POLLIN);
    uv_unref((uv_handle_t *)&p->poll);       /* a worker that has nothing to do keeps no loop running */
    serve_line();
}

static void on_greeted(struct place *p, int err)
{
    if (err == UV_EAGAIN)
        return;
    timer_stop(&p->timer);
    if (err) {
        start_failed(p, err);
        return;
    }
    p->failures = 0;
    on_idle(p);
}

static void on_answered(struct place *p)
{
    errand *e = p->errand;
    if (!p->call.err)
        *e->task.out = p->call.out;
    finish(e, p->call.err);
    processes_tally.done++;
    if (++p->done >= processes_here.jobs) {
        refresh(p, PROCESS_GRACE, NULL);
        return;
    }
    p->errand = NULL;
    processes_tally.running--;
    on_idle(p);
}

static void on_progress(struct place *p, int err)
{
    if (err == UV_EAGAIN) {
        watch(p, process_call_events(&p->call));
        return;
    }
    if (!err) {
        on_answered(p);
        return;
    }
    errand *e = p->errand;
    refresh(p, 0, worker_judge(&p->process, err, e->task.name));
    finish(e, PROCESS_EDIED);
}

/* A worker that dies before its first job might do so for ever. */
static void on_noise(struct place *p, int err)
{
    if (!err)
        return;
    p->failures = p->done == 0 ? p->failures + 1 : 0;
    refresh(p, 0, worker_judge(&p->process, err, ""));
}

static void on_event(uv_poll_t *h, int status, int events)
{
    struct place *p = (struct place *)((char *)h - offsetof(struct place, poll));
    (void)status;                            /* an error shows when the socket is used */
    (void)events;
    loop_enter();
    switch (p->state) {
    case STARTING: on_greeted(p, process_call_step(&p->call, p->process.fd)); break;
    case BUSY:     on_progress(p, process_call_step(&p->call, p->process.fd)); break;
    default:       on_noise(p, process_call_listen(p->process.fd)); break;
    }
    loop_leave();
}

static void take(struct place *p, errand *e)
{
    leave_line(e);
    e->place = p;
    p->errand = e;
    p->state = BUSY;
    processes_tally.running++;
    uv_ref((uv_handle_t *)&p->poll);
    process_call_begin(&p->call, e->task.number, e->task.in, e->task.arena);
    on_progress(p, process_call_step(&p->call, p->process.fd));
}

/* Gives what waits to those who are idle, and starts as many more as it needs. One that has just died, of which the
 * loop does not know yet, gets nothing. */
static void serve_line(void)
{
    for (struct place *p; crew->first && (p = find(IDLE));) {
        const int err = process_call_listen(p->process.fd);
        if (err)
            on_noise(p, err);
        else
            take(p, crew->first);
    }
    int coming = count(STARTING) + count(CHANGING);
    for (struct place *p; coming < crew->waiting && (p = find(EMPTY)); coming++)
        change(p, true);
}

/* The whole. */

void processes_on_loop_begin(void) { starts = lane_add("spawn", STARTS, MOST_WORKERS); }

static void open_crew(void)
{
    if (crew)
        return;
    crew = mem_alloc(sizeof *crew);
    crew->count = processes_here.workers;
    crew->places = mem_alloc((size_t)crew->count * sizeof *crew->places);
}

/* Those that a worker will soon take do not wait in the line's sense. */
static bool is_full(void)
{
    const int working = count(BUSY), resting = count(RESTING);
    return resting == crew->count || crew->waiting >= processes_here.line + crew->count - working - resting;
}

promise *processes_on_loop(const process_task *t)
{
    open_crew();
    if (crew->closing)
        return promise_settled(UV_ECANCELED);
    if (is_full()) {
        processes_tally.refused++;
        return promise_settled(UV_EAGAIN);
    }
    errand *e = pool_get(&errands);
    *e = (errand){ .task = *t };
    promise *p = e->promise = promise_new(cancel, e);
    timer_set(&e->limit, t->ms, on_limit);
    line_up(e);
    serve_line();
    return p;
}

promise *processes_on_loop_close(void)
{
    if (!crew)
        return promise_settled(0);
    assert(!crew->closing);
    promise *closed = crew->closing = promise_new(NULL, NULL);
    while (crew->first)
        give_up(crew->first, UV_ECANCELED);
    for (int i = 0; i < crew->count; i++) {
        struct place *p = &crew->places[i];
        if (p->state == BUSY)
            give_up(p->errand, UV_ECANCELED);
        else if (p->state == IDLE || p->state == STARTING)
            refresh(p, p->state == IDLE ? PROCESS_GRACE : 0, NULL);
        else if (p->state == RESTING) {
            timer_stop(&p->timer);
            p->state = EMPTY;
        }
    }
    free_crew_if_closed();
    return closed;
}
