/* loop_db.c - the db of one loop: at the end of each turn it chooses a connection for each query in the queue.
 *
 * The choice has two aims that pull apart. Slow queries side by side need a connection each: a
 * pipeline runs its queries one after the other. Quick ones want to share: each connection touched in
 * a turn costs a write, a read and a Sync. So each statement's usual running time is learned, and
 *
 *   - a quick one joins the first connection that has less than MAX_SHARED_LOAD of work before it, so that
 *     few are busy while one suffices, and all are when it does not;
 *   - a slow one, or one not seen before, goes to the connection that will be free soonest: an idle one;
 *   - when nothing at all is under way, and this turn brought no more queries than there are connections,
 *     each goes to its own: nothing is to be saved then, and a quick one may be slow this time.
 *
 * A connection's load is what its pipeline usually takes, or how long its first query has run already if
 * that is more: behind one that has got stuck nothing is quick. */
#include "loop_db.h"
#include "connection.h"
#include "server/async/combine.h"
#include "server/base/deadline.h"
#include "server/base/observe/layout.h"
#include "server/base/list.h"
#include "server/base/memory.h"
#include "server/base/observe/recorder.h"
#include "server/base/overload/refusal.h"

static const uint64_t SLOW = 1000000, MAX_SHARED_LOAD = 1000000;    /* nanoseconds */

static uint64_t load_of(const pg_connection *c, uint64_t now)
{
    const pg_query *head = c->pipeline.queries.first;
    if (!head)
        return 0;
    const uint64_t runs = now - c->pipeline.head_since;
    return runs > head->expected ? c->pipeline.load - head->expected + runs : c->pipeline.load;
}

static pg_connection *choose(const pg_pool *p, const pg_query *q, bool spread, uint64_t now)
{
    const bool quick = q->prepared->usual < SLOW && !spread;
    pg_connection *best = NULL;
    uint64_t least = UINT64_MAX;
    bool soon = false;                       /* one is only held until a cancel request has arrived */

    for (int i = 0; i < p->options->connections; i++) {
        pg_connection *c = &p->connections[i];
        soon = soon || (c->pipeline.held && !c->pipeline.queries.first);
        if (!pg_connection_is_usable(c) || (q->anew ? c->up_since : c->pipeline.alive_at) < q->lost_at)
            continue;
        const uint64_t load = load_of(c, now);
        if (quick && load < MAX_SHARED_LOAD)
            return c;
        if (!best || load < least || (load == least && c->pipeline.queries.count < best->pipeline.queries.count)) {
            best = c;
            least = load;
        }
    }
    return soon && least >= SLOW ? NULL : best;
}

static void stop_query(pg_query *q, int verdict)
{
    if (q->connection) {
        pg_connection_stop(q->connection, q, verdict);
        return;
    }
    pg_query_list_remove(&q->pool->queue, q);
    pg_query_settle(q, verdict);
}

static void on_cancel(promise *p, void *arg)
{
    (void)p;
    stop_query(arg, UV_ECANCELED);
}

static void on_timeout(timer *t)
{
    pg_query *q = container_of(t, pg_query, timer);
    const database_options *o = q->pool->options;
    const bool was_sent = q->connection || (q->sends && o->timeout_ms);
    stop_query(q, was_sent ? UV_ETIMEDOUT : refuse(REFUSED_DATABASE_TIMEOUT, o->line_timeout_ms * 1000000));
}

static bool is_idle(const pg_pool *p)
{
    for (int i = 0; i < p->options->connections; i++)
        if (p->connections[i].pipeline.queries.count)
            return false;
    return true;
}

static void on_rested(timer *t) { pg_pool_schedule(container_of(t, pg_pool, rest)); }

/* A server that has said by itself that it takes no writes any more gets none. */
static pg_connection *choose_for(pg_pool *p, const pg_query *q, bool spread, uint64_t now)
{
    pg_connection *c = choose(p, q, spread, now);
    while (c && !q->reads && pg_role_demoted(&c->pipeline.role, c->pipeline.pg)) {
        pg_connection_leave(c, "the server takes no writes any more");
        c = choose(p, q, spread, now);
    }
    return c;
}

static FOR_WATCHERS void query_record_sent(pg_query *q, int lane)
{
    q->lane = lane;
    recorder_add_detail(&(record){ q->went, q->went, q->prepared->statement->name, 0, promise_origin_of(q->promise).label,
                                   RECORD_QUERY_SENT, (uint8_t)lane });
}

static void send_queue(ready *r)
{
    pg_pool *p = container_of(r, pg_pool, at_turn_end);
    const database_options *o = p->options;
    const uint64_t now = uv_hrtime();
    const bool spread = p->queue.count <= o->connections && is_idle(p);
    uint64_t rested = NO_DEADLINE;

    p->scheduled = false;
    for (pg_query *q = p->queue.first, *next; q; q = next) {
        next = q->next;
        if (q->not_before > now) {
            rested = deadline_sooner(rested, q->not_before);
            continue;
        }
        pg_connection *c = choose_for(p, q, spread, now);
        if (!c && q->lost_at)
            continue;                        /* waits for a connection that is surely alive; others need not */
        if (!c)
            break;
        pg_query_list_remove(&p->queue, q);
        if (!q->sends && o->timeout_ms)      /* one that is resent has no more time than it had */
            timer_set_at(&q->timer, deadline_after(now, o->timeout_ms), on_timeout);
        else if (!o->timeout_ms)
            timer_stop(&q->timer);
        q->sent = now;
        if (!q->went)
            driver_query_is_begun();
        q->went = recorder_clock();
        if (recorder_is_watched())
            query_record_sent(q, (int)(c - p->connections) + 1);
        pg_connection_send(c, q);
    }
    if (rested != NO_DEADLINE)
        timer_set_at(&p->rest, rested, on_rested);
    for (int i = 0; i < o->connections; i++)
        pg_connection_flush(&p->connections[i]);
    if (o->line_timeout_ms)
        for (pg_query *q = p->queue.last; q && !timer_is_set(&q->timer); q = q->prev)
            timer_set_at(&q->timer, deadline_after(now, o->line_timeout_ms), on_timeout);
    pg_pool_settle_if_closed(p);
}

/* How many more queries this turn may send before any has to wait. */
static int free_places(const pg_pool *p)
{
    int free = 0;
    for (int i = 0; i < p->options->connections; i++)
        if (pg_connection_is_usable(&p->connections[i]))
            free += p->options->pipeline_depth - p->connections[i].pipeline.queries.count;
    return free;
}

/* What fails at once need not wait for it. */
static int loop_db_room(const db *d, bool writes)
{
    const pg_pool *p = (const pg_pool *)d;
    (void)writes;
    return p->closing || p->down ? 1 : free_places(p) - p->queue.count;
}

static promise *enqueue(pg_pool *p, pg_query *q)
{
    q->heard = p->target->channels;
    q->comment = pg_target_comment(p->target, q->arena);
    q->promise = promise_new(on_cancel, q);
    pg_query_list_append(&p->queue, q);
    pg_pool_schedule(p);
    return q->promise;
}

/* 0, or why none can come now. */
static int refuse_query(const pg_pool *p)
{
    if (p->closing)
        return UV_ECANCELED;
    if (p->down)
        return UV_ECONNREFUSED;
    const int line = database_loop_line(p->options);
    if (p->queue.count >= line && p->queue.count >= line + free_places(p))
        return refuse(REFUSED_DATABASE_LINE, 0);
    return 0;
}

static promise *loop_db_query(db *d, arena *a, stopwatch *w, rows *out, const statement *s, int n,
                              const value parameters[])
{
    pg_pool *p = (pg_pool *)d;
    int err = refuse_query(p);
    if (!p->closing && !pg_parameters_fit(s, n, parameters))
        err = DB_EQUERY;
    if (err)
        return promise_settled(err);
    return enqueue(p, pg_query_new(p, a, w, out, pg_prepared_of(&p->prepared, s, n, parameters), 1, parameters));
}

static promise *loop_db_transact(db *d, arena *a, stopwatch *w, int count, const db_step steps[])
{
    pg_pool *p = (pg_pool *)d;
    int err = refuse_query(p);
    for (int i = 0; i < count && !p->closing; i++)
        if (!pg_parameters_fit(steps[i].statement, steps[i].n, steps[i].parameters))
            err = DB_EQUERY;
    if (err)
        return promise_settled(err);
    return enqueue(p, pg_query_new_transaction(p, a, w, &p->prepared, count, steps));
}

/* Whether what follows after the first list of parameters can be sent with what was prepared for that. */
static bool all_alike(int count, int n, const value parameters[])
{
    for (int i = n; i < count * n; i++)
        if (parameters[i].type != parameters[i - n].type)
            return false;
    return true;
}

/* Slow ones need a connection each. Quick ones are one query, or a few of no more runs than queries may be in flight on a
 * connection: so many requests share a flush and a Sync, as they would with a query each. */
static promise *loop_db_query_each(db *d, arena *a, stopwatch *w, rows out[], const statement *s, int count, int n,
                                   const value parameters[])
{
    pg_pool *p = (pg_pool *)d;
    const int most = p->options->pipeline_depth, pieces = (count + most - 1) / most;
    pg_prepared *prepared = count ? pg_prepared_of(&p->prepared, s, n, parameters) : NULL;
    if (count < 2 || most < 2 || prepared->usual >= SLOW || p->closing || p->down || !all_alike(count, n, parameters) ||
        p->queue.count + pieces > database_loop_line(p->options) + free_places(p) || !pg_parameters_fit(s, count * n, parameters))
        return driver_run_each(d, a, w, out, s, count, n, parameters);

    promise **each = arena_room(a, (size_t)pieces * sizeof *each);
    for (int i = 0; i < pieces; i++) {
        const int first = i * most, some = count - first < most ? count - first : most;
        each[i] = enqueue(p, pg_query_new(p, a, w, &out[first], prepared, some, &parameters[first * n]));
    }
    return pieces == 1 ? each[0] : promise_gather(each, pieces);
}

static promise *loop_db_close(db *d)
{
    pg_pool *p = (pg_pool *)d;
    promise *closed = p->closing = promise_new(NULL, NULL);
    pg_pool_schedule(p);                     /* first: nothing is closed before it has run */
    pg_pool_fail_queue(p, UV_ECANCELED);
    timer_stop(&p->rest);
    for (int i = 0; i < p->options->connections; i++)
        pg_connection_shut(&p->connections[i]);
    return closed;
}

static void loop_db_free(db *d)
{
    pg_pool *p = (pg_pool *)d;
    gauge_remove(&p->waiting);
    pg_prepared_table_done(&p->prepared);
    pg_target_pool_is_down(p->target, &p->down, false);
    for (int i = 0; i < p->options->connections; i++)
        pg_connection_done(&p->connections[i]);
    mem_free(p->connections);
    mem_free(p);
}

static const layout_entry QUERY_LAYOUT[] LAYOUT_ENTRIES = {
    LAYOUT_ADDRESS("follow.pg_query.cancel", on_cancel),
    LAYOUT_FIELD("follow.pg_query.name", pg_query, prepared),
    LAYOUT_FIELD("follow.pg_query.name2", pg_prepared, statement),
    LAYOUT_FIELD("follow.pg_query.name3", statement, name),
    LAYOUT_FIELD("follow.pg_query.sent", pg_query, connection),
};

static const database_driver driver = {
    .run = loop_db_query, .run_each = loop_db_query_each, .transact = loop_db_transact, .disconnect = loop_db_close,
    .free = loop_db_free, .room = loop_db_room
};

db *pg_loop_db_new(pg_target *t)
{
    pg_pool *p = mem_alloc(sizeof *p);
    p->base.driver = &driver;
    p->target = t;
    p->options = t->options;
    p->at_turn_end.run = send_queue;
    gauge_add(&p->waiting, "queries waiting", &p->queue.count);
    p->open = p->options->connections;
    p->connections = mem_alloc((size_t)p->open * sizeof *p->connections);
    for (int i = 0; i < p->options->connections; i++) {
        pg_connection_init(&p->connections[i], p);
        pg_connection_open(&p->connections[i]);
    }
    return &p->base;
}
