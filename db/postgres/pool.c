/* pool.c - the db of one loop: the line, and at the end of each turn the choice of a link.
 *
 * The choice has two aims that pull apart. Slow queries side by side need a connection each: a
 * pipeline runs its queries one after the other. Quick ones want to share: each connection touched in
 * a turn costs a write, a read and a Sync. So each statement's usual running time is learned, and
 *
 *   - a quick one joins the first link that has less than PATIENCE of work before it, so that few
 *     links are busy while one suffices, and all are when it does not;
 *   - a slow one, or one not seen before, goes to the link that will be free soonest: an idle one;
 *   - when nothing at all is under way, and this turn brought no more queries than there are links,
 *     each goes to its own: nothing is to be saved then, and a quick one may be slow this time.
 *
 * A link's load is what its pipeline usually takes, or how long its first query has run already if
 * that is more: behind one that has got stuck nothing is quick. */
#include "postgres.h"
#include "server/base/log.h"
#include "server/base/memory.h"
#include "server/base/refusal.h"

static const uint64_t SLOW = 1000000, PATIENCE = 1000000;    /* nanoseconds */

static uint64_t load_of(const pg_connection *l, uint64_t now)
{
    const pg_query *head = l->pipeline.first;
    if (!head)
        return 0;
    const uint64_t runs = now - l->head_since;
    return runs > head->expected ? l->load - head->expected + runs : l->load;
}

static pg_connection *choose(const pg_pool *p, const pg_query *q, bool spread, uint64_t now)
{
    const bool quick = q->plan->usual < SLOW && !spread;
    pg_connection *best = NULL;
    uint64_t least = UINT64_MAX;
    bool soon = false;                       /* a link is only held until a cancel request has arrived */

    for (int i = 0; i < p->options->connections; i++) {
        pg_connection *l = &p->links[i];
        soon = soon || (l->held && !l->pipeline.first);
        if (!pg_link_usable(l) || (q->anew ? l->up_since : l->alive_at) < q->lost_at)
            continue;
        const uint64_t load = load_of(l, now);
        if (quick && load < PATIENCE)
            return l;
        if (load < least || (load == least && l->pipeline.count < best->pipeline.count)) {
            best = l;
            least = load;
        }
    }
    return soon && least >= SLOW ? NULL : best;
}

static void rang(timer *t)
{
    pg_query *q = (pg_query *)((char *)t - offsetof(pg_query, timer));
    const database_options *o = q->pool->options;
    const bool was_sent = q->sends && o->timeout_ms;
    pg_query_stop(q, q->link || was_sent ? UV_ETIMEDOUT : refuse(REFUSED_DATABASE_TIMEOUT, o->line_timeout_ms * 1000000));
}

static bool idle(const pg_pool *p)
{
    for (int i = 0; i < p->options->connections; i++)
        if (p->links[i].pipeline.count)
            return false;
    return true;
}

static void rang_rest(timer *t) { pg_pool_schedule((pg_pool *)((char *)t - offsetof(pg_pool, rest))); }

/* A server that has said by itself that it takes no writes any more gets none. */
static pg_connection *choose_for(pg_pool *p, const pg_query *q, bool spread, uint64_t now)
{
    pg_connection *l = choose(p, q, spread, now);
    while (l && !q->plan->statement->reads && pg_role_demoted(&l->role, l->pg)) {
        l->first_host++;
        pg_link_leave(l, "the server takes no writes any more");
        l = choose(p, q, spread, now);
    }
    return l;
}

static void dispatch(ready *r)
{
    pg_pool *p = (pg_pool *)((char *)r - offsetof(pg_pool, at_turn_end));
    const database_options *o = p->options;
    const uint64_t now = uv_hrtime();
    const bool spread = p->line.count <= o->connections && idle(p);
    uint64_t rested = NO_DEADLINE;

    p->scheduled = false;
    for (pg_query *q = p->line.first, *next; q; q = next) {
        next = q->next;
        if (q->not_before > now) {
            rested = deadline_sooner(rested, q->not_before);
            continue;
        }
        pg_connection *l = choose_for(p, q, spread, now);
        if (!l && q->lost_at)
            continue;                        /* waits for a link that is surely alive; others need not */
        if (!l)
            break;
        pg_list_remove(&p->line, q);
        if (!q->sends && o->timeout_ms)      /* one that is resent has no more time than it had */
            timer_set_at(&q->timer, deadline_after(now, o->timeout_ms), rang);
        else if (!o->timeout_ms)
            timer_stop(&q->timer);
        q->sent = now;
        pg_pipeline_send(l, q);
    }
    if (rested != NO_DEADLINE)
        timer_set_at(&p->rest, rested, rang_rest);
    for (int i = 0; i < o->connections; i++)
        if (p->links[i].unflushed)
            pg_link_flush(&p->links[i]);
    if (o->line_timeout_ms)
        for (pg_query *q = p->line.last; q && !timer_is_set(&q->timer); q = q->prev)
            timer_set_at(&q->timer, deadline_after(now, o->line_timeout_ms), rang);
    pg_pool_check_closed(p);
}

void pg_pool_schedule(pg_pool *p)
{
    if (p->scheduled)
        return;
    p->scheduled = true;
    p->at_turn_end.run = dispatch;
    loop_at_turn_end(&p->at_turn_end);
}

void pg_pool_requeue(pg_pool *p, pg_query *q)
{
    q->link = NULL;
    q->aborted = false;
    q->outcome = 0;
    pg_list_prepend(&p->line, q);
    pg_pool_schedule(p);
}

/* How many more queries this turn may send before any has to wait. */
static int room(const pg_pool *p)
{
    int free = 0;
    for (int i = 0; i < p->options->connections; i++)
        if (pg_link_usable(&p->links[i]))
            free += p->options->pipeline_depth - p->links[i].pipeline.count;
    return free;
}

/* What fails at once need not wait for it. */
static int pool_room(const db *d, bool writes)
{
    const pg_pool *p = (const pg_pool *)d;
    (void)writes;
    return p->closing || p->down ? 1 : room(p) - p->line.count;
}

static promise *query(db *d, arena *a, stopwatch *w, rows *out, const statement *s, int n,
                      const value parameters[])
{
    pg_pool *p = (pg_pool *)d;
    if (p->closing)
        return promise_settled(UV_ECANCELED);
    if (!pg_fits(s, n, parameters))
        return promise_settled(DB_EQUERY);
    if (p->down)
        return promise_settled(UV_ECONNREFUSED);
    if (p->line.count >= p->options->line + room(p))
        return promise_settled(refuse(REFUSED_DATABASE_LINE, 0));

    pg_query *q = pg_query_new(p, a, w, out, pg_plan_of(&p->plans, s, n, parameters), parameters);
    pg_list_append(&p->line, q);
    pg_pool_schedule(p);
    return q->promise;
}

static void fail_line(pg_pool *p, int err)
{
    for (pg_query *q; (q = p->line.first);) {
        pg_list_remove(&p->line, q);
        pg_query_settle(q, q->sends && err == UV_ECONNREFUSED && q->plan->statement->reads ? UV_ECONNRESET : err);
    }
}

void pg_pool_failed(pg_pool *p, const char *why)
{
    pg_journal_trouble(&p->journal, "cannot connect", why);
    for (int i = 0; i < p->options->connections; i++)
        if (!p->links[i].failed)
            return;
    if (!p->down)
        log_error("postgres: no connection to %s: %s", p->database->target.description, why);
    p->down = true;
    fail_line(p, UV_ECONNREFUSED);
}

bool pg_pool_serves(const pg_pool *p)
{
    for (int i = 0; i < p->options->connections; i++)
        if (p->links[i].state == PG_UP)
            return true;
    return false;
}

void pg_pool_recovered(pg_pool *p)
{
    bool all = true;
    for (int i = 0; i < p->options->connections; i++) {
        pg_connect_soon(&p->links[i]);       /* what one can do, the others can */
        all = all && p->links[i].state == PG_UP;
    }
    if (p->down || all)
        pg_journal_recovered(&p->journal);
    p->down = false;
    pg_pool_schedule(p);
}

void pg_handle_opened(pg_pool *p, void *handle)
{
    ((uv_handle_t *)handle)->data = p;
    p->handles++;
}

static void on_closed(uv_handle_t *handle)
{
    pg_pool *p = handle->data;
    loop_enter();
    mem_free(handle);
    p->handles--;
    pg_pool_check_closed(p);
    loop_leave();
}

void pg_handle_close(void *handle) { uv_close(handle, on_closed); }

void pg_pool_check_closed(pg_pool *p)
{
    if (!p->closing || p->handles || p->scheduled)
        return;
    for (int i = 0; i < p->options->connections; i++)
        if (p->links[i].state != PG_SHUT)
            return;
    promise *closed = p->closing;
    p->closing = NULL;
    promise_settle(closed, 0);
}

static promise *disconnect(db *d)
{
    pg_pool *p = (pg_pool *)d;
    promise *closed = p->closing = promise_new(NULL, NULL);
    pg_pool_schedule(p);                     /* first: it looks whether all is closed, and nobody before it */
    fail_line(p, UV_ECANCELED);
    timer_stop(&p->rest);
    for (int i = 0; i < p->options->connections; i++)
        pg_link_shut(&p->links[i]);
    return closed;
}

static void pool_free(db *d)
{
    pg_pool *p = (pg_pool *)d;
    pg_plans_done(&p->plans);
    for (int i = 0; i < p->options->connections; i++)
        pg_names_done(&p->links[i].names);
    mem_free(p->links);
    mem_free(p);
}

static const database_driver pool_driver = {
    .run = query, .disconnect = disconnect, .free = pool_free, .room = pool_room
};

db *pg_pool_new(postgres *d)
{
    pg_pool *p = mem_alloc(sizeof *p);
    p->base.driver = &pool_driver;
    p->database = d;
    p->options = d->options;
    p->links = mem_alloc((size_t)p->options->connections * sizeof *p->links);
    for (int i = 0; i < p->options->connections; i++) {
        p->links[i].pool = p;
        pg_connect(&p->links[i]);
    }
    return &p->base;
}
