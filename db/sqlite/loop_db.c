/* loop_db.c - see loop_db.h.
 *
 * A job belongs to its db for good: after its rows have ended with their arena, it is used again,
 * with the memory that it has for rows and parameters. */
#include "loop_db.h"
#include "server/async/loop.h"
#include "server/base/freelist.h"
#include "server/base/memory.h"
#include "server/base/refusal.h"

#include <assert.h>
#include <sched.h>
#include <stddef.h>

enum { READS, WRITES, KEEP_TEXTS = 16 * 1024, READS_READY = 32, WRITES_READY = 256 };
enum { USUAL_JOB = 16 * 1024 };              /* bytes, with the memory for its rows */

typedef struct sqlite_db {
    struct db     db;                        /* must be first */
    workers      *workers;
    const database_options *options;

    ready         turn_end;                  /* hands over what was gathered */
    bool          turn_end_set;
    job_list      gathered[2];
    atomic_int    waiting[2];                /* gathered or in line */

    _Atomic(job *) back;                     /* have been run: a stack, linked by next */
    atomic_int    reporting;                 /* workers inside report */

    job          *oldest, *newest;           /* all that have not settled */
    freelist      unused;                    /* jobs, with their memory */
    int           alive;                     /* jobs that exist and are not unused */
    promise      *closing;
    bool          closed, freed;
    int           handles;                   /* not closed yet */
    uv_async_t    async;
    uv_timer_t    timer;                     /* when the first one gives up its line */
} sqlite_db;

static void free_job(void *unused)
{
    job *j = unused;
    result_done(&j->result);
    mem_free(j->texts);
    mem_free(j);
}

static void free_if_over(sqlite_db *d)       /* rows may outlive the db they came from */
{
    if (!d->freed || d->alive > 0)
        return;
    freelist_done(&d->unused);
    mem_free(d);
}

static job *get_job(sqlite_db *d)
{
    job *j = freelist_get(&d->unused);
    d->alive++;
    return j ? j : mem_alloc(sizeof *j);
}

static void put_job(void *arg)
{
    job *j = arg;
    sqlite_db *d = j->db;
    d->alive--;
    result_trim(&j->result);
    if (d->freed || j->texts_size > KEEP_TEXTS)
        free_job(j);
    else
        freelist_put(&d->unused, j);
    free_if_over(d);
}

static void copy_parameters(job *j, int n, const value parameters[])
{
    size_t need = 0;
    for (int i = 0; i < n; i++)
        if (parameters[i].type == VALUE_TEXT)
            need += parameters[i].text.length;
    if (need > j->texts_size) {
        mem_free(j->texts);
        j->texts = mem_resize(NULL, need);
        j->texts_size = need;
    }
    char *to = j->texts;
    for (int i = 0; i < n; i++) {
        j->parameters[i] = parameters[i];
        if (parameters[i].type != VALUE_TEXT)
            continue;
        const size_t length = parameters[i].text.length;
        j->parameters[i].text.at = length ? memcpy(to, parameters[i].text.at, length) : "";
        to += length;
    }
    j->count = n;
}

static int kind_of(const job *j) { return j->statement->reads ? READS : WRITES; }

/* The first on an empty stack wakes the loop; for the others it is awake, or will be. Once it is on
 * the stack, the job may settle and the db close: reporting keeps it until we are out. */
static void report(job *j)
{
    sqlite_db *d = j->db;
    atomic_fetch_add(&d->reporting, 1);
    job *first = atomic_load_explicit(&d->back, memory_order_relaxed);
    do
        j->next = first;
    while (!atomic_compare_exchange_weak(&d->back, &first, j));
    if (!first)
        uv_async_send(&d->async);
    atomic_fetch_sub(&d->reporting, 1);
}

static void wait_for_reporters(sqlite_db *d)
{
    while (atomic_load(&d->reporting))
        sched_yield();
}

static void forget(sqlite_db *d, job *j)     /* it has an outcome */
{
    if (j->older)
        j->older->newer = j->newer;
    else
        d->oldest = j->newer;
    if (j->newer)
        j->newer->older = j->older;
    else
        d->newest = j->older;
}

/* Gives the rows to the caller, and the job to their arena. */
static int outcome(job *j, int err)
{
    if (j->watch)
        stopwatch_stop(j->watch);
    if (err) {
        put_job(j);
        return err;
    }
    *j->out = (rows){ j->result.count, j->result.columns, &j->result, &sqlite_rows, j->statement->columns };
    arena_defer(j->arena, put_job, j);
    return 0;
}

static void handle_closed(uv_handle_t *h)
{
    sqlite_db *d = h->data;
    loop_enter();
    if (--d->handles == 0)
        promise_settle(d->closing, 0);
    loop_leave();
}

static void close_if_idle(sqlite_db *d)
{
    if (d->oldest)
        return;
    uv_unref((uv_handle_t *)&d->async);
    if (!d->closing || uv_is_closing((uv_handle_t *)&d->async))
        return;
    wait_for_reporters(d);
    uv_close((uv_handle_t *)&d->async, handle_closed);
    uv_close((uv_handle_t *)&d->timer, handle_closed);
}

static void settle(sqlite_db *d, job *j, int err)
{
    promise *p = j->promise;
    forget(d, j);
    promise_settle(p, outcome(j, err));
}

static void came_back(uv_async_t *async)
{
    sqlite_db *d = async->data;
    loop_enter();
    job *first = NULL;                       /* turned round: the first to end settles first */
    for (job *j = atomic_exchange(&d->back, NULL), *next; j; j = next) {
        next = j->next;
        j->next = first;
        first = j;
    }
    for (job *next; first; first = next) {
        next = first->next;
        settle(d, first, first->err);
    }
    close_if_idle(d);
    loop_leave();
}

/* Takes j out of wherever it waits; false if a worker has it. */
static bool stop_waiting(sqlite_db *d, job *j)
{
    if (j->gathered)
        job_list_remove(&d->gathered[kind_of(j)], j);
    else if (!job_queue_remove(j->line, j))
        return false;
    job_begun(j);
    return true;
}

static void cancel(promise *p, void *arg)
{
    job *j = arg;
    sqlite_db *d = j->db;
    (void)p;
    if (!stop_waiting(d, j)) {
        atomic_store(&j->cancelled, true);
        return;
    }
    settle(d, j, UV_ECANCELED);
    close_if_idle(d);
}

/* Whoever has waited too long leaves the line. What a worker has is the worker's to end. */
static void look_at_the_line(uv_timer_t *timer)
{
    sqlite_db *d = timer->data;
    const uint64_t now = uv_now(timer->loop);
    loop_enter();
    for (job *j = d->oldest, *newer; j; j = newer) {
        newer = j->newer;
        if (j->give_up > now) {
            uv_timer_start(timer, look_at_the_line, j->give_up - now, 0);
            break;
        }
        if (stop_waiting(d, j))
            settle(d, j, refuse(REFUSED_DATABASE_TIMEOUT, d->options->line_timeout_ms * 1000000));
    }
    close_if_idle(d);
    loop_leave();
}

static void hand_over(ready *r)
{
    sqlite_db *d = (sqlite_db *)((char *)r - offsetof(sqlite_db, turn_end));
    d->turn_end_set = false;
    for (int kind = READS; kind <= WRITES; kind++) {
        for (job *j = d->gathered[kind].first; j; j = j->next)
            j->gathered = false;
        job_queue_add(workers_line(d->workers, kind == READS), &d->gathered[kind]);
    }
    if (d->options->line_timeout_ms && d->oldest && !uv_is_active((uv_handle_t *)&d->timer))
        uv_timer_start(&d->timer, look_at_the_line, d->options->line_timeout_ms, 0);
}

static promise *gather_job(sqlite_db *d, job *j, int kind)
{
    const uint64_t patience = d->options->line_timeout_ms;
    j->give_up = patience ? uv_hrtime() / 1000000 + patience + 1 : 0;     /* this millisecond has partly passed */
    j->older = d->newest;
    j->newer = NULL;
    if (d->newest) {
        d->newest->newer = j;
    } else {
        d->oldest = j;
        uv_ref((uv_handle_t *)&d->async);
    }
    d->newest = j;
    j->gathered = true;
    job_list_add(&d->gathered[kind], j);
    if (!d->turn_end_set) {
        d->turn_end_set = true;
        loop_at_turn_end(&d->turn_end);
    }
    return j->promise = promise_new(cancel, j);
}

static promise *query(db *here, arena *a, stopwatch *watch, rows *out, const statement *s, int n,
                      const value parameters[])
{
    sqlite_db *d = (sqlite_db *)here;
    const int kind = s->reads ? READS : WRITES;
    job_queue *l = workers_line(d->workers, s->reads);

    assert(n <= MAX_PARAMETERS);
    if (d->closed)
        return promise_settled(UV_ECANCELED);
    /* What idle workers are about to take does not wait. */
    const int most = d->options->line + atomic_load_explicit(&l->idle, memory_order_relaxed);
    if (atomic_load_explicit(&d->waiting[kind], memory_order_relaxed) >= most)
        return promise_settled(refuse(REFUSED_DATABASE_LINE, 0));

    job *j = get_job(d);
    j->db = d;
    j->line = l;
    j->waiting = &d->waiting[kind];
    j->done = report;
    j->statement = s;
    j->arena = a;
    j->out = out;
    j->watch = watch;
    atomic_store_explicit(&j->cancelled, false, memory_order_relaxed);
    copy_parameters(j, n, parameters);
    atomic_fetch_add_explicit(&d->waiting[kind], 1, memory_order_relaxed);
    if (watch)
        stopwatch_start(watch);
    return gather_job(d, j, kind);
}

/* Enough for the readers until the next turn, and for the next transaction of the writer. */
static int room(const db *here, bool writes)
{
    const sqlite_db *d = (const sqlite_db *)here;
    const int kind = writes ? WRITES : READS, most = writes ? WRITES_READY : READS_READY * d->options->readers;
    return d->closed ? 1 : most - atomic_load_explicit(&d->waiting[kind], memory_order_relaxed);
}

static promise *disconnect(db *here)
{
    sqlite_db *d = (sqlite_db *)here;
    d->closed = true;
    promise *closing = d->closing = promise_new(NULL, NULL);
    for (job *j = d->oldest, *newer; j; j = newer) {
        newer = j->newer;
        promise_cancel(j->promise);
    }
    close_if_idle(d);
    return closing;
}

static void free_db(db *here)
{
    sqlite_db *d = (sqlite_db *)here;
    assert(!d->oldest && !d->handles);
    d->freed = true;
    free_if_over(d);
}

static const database_driver driver = {
    .run = query, .disconnect = disconnect, .free = free_db, .room = room
};

db *sqlite_db_new(workers *w, const database_options *options)
{
    sqlite_db *d = mem_alloc(sizeof *d);
    d->db.driver = &driver;
    d->unused = (freelist)FREELIST(USUAL_JOB, free_job);
    d->workers = w;
    d->options = options;
    d->turn_end.run = hand_over;
    uv_async_init(loop_here(), &d->async, came_back);
    uv_timer_init(loop_here(), &d->timer);
    uv_unref((uv_handle_t *)&d->async);      /* only queries keep a loop alive, not a db */
    uv_unref((uv_handle_t *)&d->timer);
    d->async.data = d->timer.data = d;
    d->handles = 2;
    return &d->db;
}
