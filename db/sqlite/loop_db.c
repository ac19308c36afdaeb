/* loop_db.c - see loop_db.h.
 *
 * A job belongs to its db for good: after its rows have ended with their arena, it is used again,
 * with the memory that it has for rows and parameters. */
#include "loop_db.h"
#include "usual.h"
#include "server/async/combine.h"
#include "server/async/loop.h"
#include "server/base/observe/gauge.h"
#include "server/base/observe/layout.h"
#include "server/base/observe/recorder.h"
#include "server/base/list.h"
#include "server/base/memory.h"
#include "server/base/overload/refusal.h"
#include "server/base/reserve.h"

#include <assert.h>
#include <sched.h>
#include <stddef.h>

enum { READS, WRITES, READS_READY = 32, WRITES_READY = SQLITE_WRITER_GROUP };
enum { USUAL_JOB = 16 * 1024 };              /* bytes, with the memory for its rows */
enum { SLOW = 500000, TOGETHER = 64 };       /* nanoseconds of a run; runs of one job */

typedef struct sqlite_loop_db {
    struct db       db;                      /* must be first */
    sqlite_workers *workers;
    const database_options *options;

    ready           turn_end;                /* hands over what was gathered */
    bool            turn_end_set;
    sqlite_job_list gathered[2];
    atomic_int      waiting[2];              /* gathered or queued */
    gauge           gauges[2];               /* of these */

    _Atomic(sqlite_job *) reported;          /* have been run: a stack, linked by next */
    atomic_int      reporting;               /* workers inside report_job */

    sqlite_usual    usual;
    fifo            unsettled;               /* all that have not settled, the oldest first */
    freelist        unused;                  /* jobs, with their memory */
    int             alive;                   /* jobs that exist and are not unused */
    promise        *closing;
    bool            closed, freed;
    int             handles;                 /* not closed yet */
    uv_async_t      async;
    uv_timer_t      timer;                   /* when the oldest gives up waiting */
} sqlite_loop_db;

static void free_unused(void *job) { sqlite_job_free(job); }

static void free_if_unused(sqlite_loop_db *d)       /* rows may outlive the db they came from */
{
    if (!d->freed || d->alive > 0)
        return;
    freelist_done(&d->unused);
    mem_free(d);
}

static sqlite_job *get_job(sqlite_loop_db *d)
{
    sqlite_job *j = freelist_get(&d->unused);
    d->alive++;
    return j ? j : sqlite_job_new();
}

static void put_job(void *arg)
{
    sqlite_job *j = arg;
    sqlite_loop_db *d = j->db;
    d->alive--;
    sqlite_result_trim(&j->result);
    if (d->freed)
        sqlite_job_free(j);
    else
        freelist_put(&d->unused, j);
    free_if_unused(d);
}

static int kind_of(const statement *s) { return s->reads ? READS : WRITES; }

/* The first on an empty stack wakes the loop; for the others it is awake, or will be. Once it is on
 * the stack, the job may settle and the db close: reporting keeps it until we are out. */
static void report_job(sqlite_job *j)
{
    sqlite_loop_db *d = j->db;
    atomic_fetch_add(&d->reporting, 1);
    sqlite_job *first = atomic_load_explicit(&d->reported, memory_order_relaxed);
    do
        j->next = first;
    while (!atomic_compare_exchange_weak(&d->reported, &first, j));
    if (!first)
        uv_async_send(&d->async);
    atomic_fetch_sub(&d->reporting, 1);
}

static void on_handle_closed(uv_handle_t *h)
{
    sqlite_loop_db *d = h->data;
    loop_enter();
    if (--d->handles == 0)
        promise_settle(d->closing, 0);
    loop_leave();
}

static void close_if_idle(sqlite_loop_db *d)
{
    if (d->unsettled.first)
        return;
    uv_unref((uv_handle_t *)&d->async);
    if (!d->closing || uv_is_closing((uv_handle_t *)&d->async))
        return;
    while (atomic_load(&d->reporting))
        sched_yield();
    uv_close((uv_handle_t *)&d->async, on_handle_closed);
    uv_close((uv_handle_t *)&d->timer, on_handle_closed);
}

/* Gives the rows to the caller, and the job to their arena. */
static void settle_job(sqlite_loop_db *d, sqlite_job *j, int err)
{
    promise *p = j->promise;
    driver_query_ends(j->statement, j->since, j->began, promise_is_for(p), err);
    if (j->ended)
        sqlite_job_record_run(j, err);
    fifo_remove(&d->unsettled, &j->unsettled);
    if (j->watch)
        stopwatch_stop(j->watch);
    if (err)
        put_job(j);
    else {
        if (j->steps)
            sqlite_job_give_steps(j);
        else if (j->runs) {
            sqlite_usual_learn(&d->usual, j->statement, j->took);
            sqlite_result_split(&j->result, j->runs, j->ends, j->statement, j->arena, j->out);
        } else
            *j->out = (rows){ j->result.count, j->result.columns, &j->result, &sqlite_rows_driver, j->statement->columns };
        arena_defer(j->arena, put_job, j);
    }
    promise_settle(p, err);
}

static void on_reports(uv_async_t *async)
{
    sqlite_loop_db *d = async->data;
    loop_enter();
    sqlite_job *first = NULL;                       /* turned round: the first to end settles first */
    for (sqlite_job *j = atomic_exchange(&d->reported, NULL), *next; j; j = next) {
        next = j->next;
        j->next = first;
        first = j;
    }
    for (sqlite_job *next; first; first = next) {
        next = first->next;
        settle_job(d, first, first->err);
    }
    close_if_idle(d);
    loop_leave();
}

/* Takes j out of wherever it waits; false if a worker has it. */
static bool stop_waiting(sqlite_loop_db *d, sqlite_job *j)
{
    if (j->gathered)
        sqlite_job_list_remove(&d->gathered[kind_of(j->statement)], j);
    else if (!sqlite_job_queue_remove(j->queue, j))
        return false;
    sqlite_job_left_queue(j);
    return true;
}

static void on_cancel(promise *p, void *arg)
{
    sqlite_job *j = arg;
    sqlite_loop_db *d = j->db;
    (void)p;
    if (!stop_waiting(d, j)) {
        atomic_store(&j->cancelled, true);
        return;
    }
    settle_job(d, j, UV_ECANCELED);
    close_if_idle(d);
}

/* Jobs that have waited too long leave the queue. What a worker has is the worker's to end. */
static void on_wait_limit(uv_timer_t *timer)
{
    sqlite_loop_db *d = timer->data;
    const uint64_t now = uv_now(timer->loop);
    loop_note_phase(LOOP_TIMERS);
    loop_enter();
    for (list_node *n = d->unsettled.first, *newer; n; n = newer) {
        sqlite_job *j = container_of(n, sqlite_job, unsettled);
        newer = n->next;
        if (j->give_up > now) {
            uv_timer_start(timer, on_wait_limit, j->give_up - now, 0);
            break;
        }
        if (stop_waiting(d, j))
            settle_job(d, j, refuse(REFUSED_DATABASE_TIMEOUT, d->options->line_timeout_ms * 1000000));
    }
    close_if_idle(d);
    loop_leave();
}

static void hand_over_jobs(ready *r)
{
    sqlite_loop_db *d = container_of(r, sqlite_loop_db, turn_end);
    d->turn_end_set = false;
    for (int kind = READS; kind <= WRITES; kind++) {
        for (sqlite_job *j = d->gathered[kind].first; j; j = j->next) {
            j->gathered = false;
            if (j->watched)
                sqlite_job_record_sent(j, kind == WRITES);
        }
        sqlite_job_queue_add(sqlite_workers_queue(d->workers, kind == READS), &d->gathered[kind]);
    }
    if (d->options->line_timeout_ms && d->unsettled.first && !uv_is_active((uv_handle_t *)&d->timer))
        uv_timer_start(&d->timer, on_wait_limit, d->options->line_timeout_ms, 0);
}

static promise *gather_job(sqlite_loop_db *d, sqlite_job *j)
{
    const uint64_t limit = d->options->line_timeout_ms;
    atomic_fetch_add_explicit(j->waiting, 1, memory_order_relaxed);
    driver_query_begins();
    j->since = recorder_clock();
    j->began = j->ended = 0;
    j->watched = recorder_is_watched();
    if (j->watch)
        stopwatch_start(j->watch);
    j->give_up = limit ? uv_hrtime() / 1000000 + limit + 1 : 0;     /* this millisecond has partly passed */
    if (!d->unsettled.first)
        uv_ref((uv_handle_t *)&d->async);
    fifo_append(&d->unsettled, &j->unsettled);
    j->gathered = true;
    sqlite_job_list_add(&d->gathered[kind_of(j->statement)], j);
    if (!d->turn_end_set) {
        d->turn_end_set = true;
        loop_at_turn_end(&d->turn_end);
    }
    return j->promise = promise_new(on_cancel, j);
}

/* 0, or why there can be no more of them now. */
static int refuse_job(const sqlite_loop_db *d, const statement *s)
{
    const sqlite_job_queue *q = sqlite_workers_queue(d->workers, s->reads);
    if (d->closed)
        return UV_ECANCELED;
    /* What idle workers are about to take does not wait. */
    const int most = database_loop_line(d->options) + atomic_load_explicit(&q->idle, memory_order_relaxed);
    if (atomic_load_explicit(&d->waiting[kind_of(s)], memory_order_relaxed) >= most)
        return refuse(REFUSED_DATABASE_LINE, 0);
    return 0;
}

/* Its parameters are still to be set. */
static sqlite_job *make_job(sqlite_loop_db *d, arena *a, stopwatch *watch, rows *out, const statement *s)
{
    sqlite_job *j = get_job(d);
    j->db = d;
    j->queue = sqlite_workers_queue(d->workers, s->reads);
    j->waiting = &d->waiting[kind_of(s)];
    j->done = report_job;
    j->statement = s;
    j->arena = a;
    j->out = out;
    j->watch = watch;
    j->runs = 0;
    j->steps = NULL;
    atomic_store_explicit(&j->cancelled, false, memory_order_relaxed);
    return j;
}

static promise *loop_db_query(db *here, arena *a, stopwatch *watch, rows *out, const statement *s, int n,
                              const value parameters[])
{
    sqlite_loop_db *d = (sqlite_loop_db *)here;
    assert(n <= MAX_PARAMETERS);
    const int err = refuse_job(d, s);
    if (err)
        return promise_settled(err);
    sqlite_job *j = make_job(d, a, watch, out, s);
    sqlite_job_copy_parameters(j, n, parameters);
    return gather_job(d, j);
}

static promise *loop_db_transact(db *here, arena *a, stopwatch *watch, int count, const db_step steps[])
{
    sqlite_loop_db *d = (sqlite_loop_db *)here;
    const statement *s = sqlite_steps_statement(count, steps);
    const int err = refuse_job(d, s);
    if (err)
        return promise_settled(err);
    sqlite_job *j = make_job(d, a, watch, NULL, s);
    sqlite_job_transact(j, a, count, steps);
    return gather_job(d, j);
}

/* Those that are quick are one job, as long as it does not keep others waiting. Slow ones have a reader each, if they can. */
static promise *loop_db_query_each(db *here, arena *a, stopwatch *watch, rows out[], const statement *s, int count, int n,
                                   const value parameters[])
{
    sqlite_loop_db *d = (sqlite_loop_db *)here;
    const int most = sqlite_usual_of(&d->usual, s) < SLOW ? TOGETHER : 1, pieces = (count + most - 1) / most;
    promise **each = arena_room(a, (size_t)pieces * sizeof *each);
    assert(n <= MAX_PARAMETERS);
    for (int i = 0; i < pieces; i++) {
        const int first = i * most, runs = count - first < most ? count - first : most, err = refuse_job(d, s);
        if (err) {
            each[i] = promise_settled(err);
            continue;
        }
        sqlite_job *j = make_job(d, a, watch, &out[first], s);
        j->runs = runs;
        j->count = n;
        j->each = sqlite_values_copy(a, runs * n, driver_parameters_of(first, n, parameters));
        j->ends = arena_room(a, (size_t)runs * sizeof *j->ends);
        each[i] = gather_job(d, j);
    }
    return pieces == 1 ? each[0] : promise_gather(each, pieces);
}

/* Enough for the readers until the next turn, and for the next transaction of the writer. */
static int loop_db_room(const db *here, bool writes)
{
    const sqlite_loop_db *d = (const sqlite_loop_db *)here;
    const int kind = writes ? WRITES : READS, most = writes ? WRITES_READY : READS_READY * d->options->readers;
    return d->closed ? 1 : most - atomic_load_explicit(&d->waiting[kind], memory_order_relaxed);
}

/* Those that no worker has. */
static void settle_waiting(sqlite_loop_db *d)
{
    for (list_node *n = d->unsettled.first, *newer; n; n = newer) {
        sqlite_job *j = container_of(n, sqlite_job, unsettled);
        newer = n->next;
        if (stop_waiting(d, j))
            settle_job(d, j, UV_ECANCELED);
    }
}

static promise *loop_db_close(db *here)
{
    sqlite_loop_db *d = (sqlite_loop_db *)here;
    d->closed = true;
    for (int kind = READS; kind <= WRITES; kind++)
        gauge_remove(&d->gauges[kind]);
    promise *closing = d->closing = promise_new(NULL, NULL);
    settle_waiting(d);                       /* first: a worker whose query is cancelled would begin the next one */
    for (list_node *n = d->unsettled.first, *newer; n; n = newer) {
        newer = n->next;
        promise_cancel(container_of(n, sqlite_job, unsettled)->promise);
    }
    close_if_idle(d);
    return closing;
}

static void loop_db_free(db *here)
{
    sqlite_loop_db *d = (sqlite_loop_db *)here;
    assert(!d->unsettled.first && !d->handles);
    d->freed = true;
    free_if_unused(d);
}

static const layout_entry QUERY_LAYOUT[] LAYOUT_ENTRIES = {
    LAYOUT_ADDRESS("follow.sqlite_query.cancel", on_cancel),
    LAYOUT_FIELD("follow.sqlite_query.name", sqlite_job, statement),
    LAYOUT_FIELD("follow.sqlite_query.name2", statement, name),
    LAYOUT_FIELD("follow.sqlite_query.queued", sqlite_job, queued),
};

static const database_driver driver = {
    .run = loop_db_query, .run_each = loop_db_query_each, .transact = loop_db_transact, .disconnect = loop_db_close,
    .free = loop_db_free, .room = loop_db_room
};

db *sqlite_loop_db_new(sqlite_workers *w, const database_options *options)
{
    sqlite_loop_db *d = mem_alloc(sizeof *d);
    d->db.driver = &driver;
    d->unused = (freelist)FREELIST(USUAL_JOB, free_unused);
    d->workers = w;
    d->options = options;
    d->turn_end.run = hand_over_jobs;
    uv_async_init(loop_here(), &d->async, on_reports);
    uv_timer_init(loop_here(), &d->timer);
    uv_unref((uv_handle_t *)&d->async);      /* only queries keep a loop alive, not a db */
    uv_unref((uv_handle_t *)&d->timer);
    d->async.data = d->timer.data = d;
    d->handles = 2;
    gauge_add(&d->gauges[READS], "reads waiting", &d->waiting[READS]);
    gauge_add(&d->gauges[WRITES], "writes waiting", &d->waiting[WRITES]);
    return &d->db;
}
