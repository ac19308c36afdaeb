/* blocking_pool.c - see blocking_pool.h. */
#include "blocking_pool.h"
#include "server/base/blocking_wait.h"
#include "server/base/log.h"
#include "server/base/memory.h"
#include "server/base/observe/shard.h"
#include "server/base/thread.h"

enum { SPARE_MS = 1000 };                    /* for one more than serve: none other is connected meanwhile */

static const uint64_t BRIEF = 1000000000;    /* after a connection that lasts less than this the next one waits */

static pg_blocking_connection *connection_of(resource *r) { return (pg_blocking_connection *)r; }

/* The next four, with the lock held. */
static void set_aside(pg_blocking_pool *p, pg_blocking_connection *c)
{
    c->base.next = p->unconnected;
    p->unconnected = &c->base;
}

/* Connections that break together are one reason to wait, not many. */
static void delay_next_attempt(pg_blocking_pool *p, bool later)
{
    if (!later || !p->up || p->next_attempt <= uv_hrtime())
        p->next_attempt = deadline_in(pg_backoff(&p->backoff, later, p->up > 0));
}

static void connect_failed(pg_blocking_pool *p, pg_blocking_connection *c, int err, const char *why)
{
    set_aside(p, c);
    if (err == UV_ETIMEDOUT) {
        p->first_host++;
        p->silences++;
    }
    const bool again = p->served && err != UV_ETIMEDOUT;
    p->served = false;
    delay_next_attempt(p, !again);
    if (atomic_load(&p->closing))
        return;
    pg_outage_log_begin(&p->outage, "cannot connect", why);
    if (p->up || p->down || again)
        return;
    log_error("postgres: no connection to %s: %s", p->target->description, why);
    pg_target_pool_is_down(p->target, &p->down, true);
    resource_pool_refuse(&p->idle, UV_ECONNREFUSED);
}

static void connect_succeeded(pg_blocking_pool *p)
{
    p->up++;
    shard_add(SHARD_DATABASE_CONNECTIONS, 1);
    shard_add(SHARD_DATABASE_CONNECTED, 1);
    p->served = true;
    p->silences = 0;
    p->next_attempt = 0;                     /* what one can do, the others can */
    if (p->down || p->up == p->wanted)
        pg_outage_log_end(&p->outage);
    pg_target_pool_is_down(p->target, &p->down, false);
    resource_pool_refuse(&p->idle, 0);
}

static void connection_lost(pg_blocking_pool *p, pg_blocking_connection *c)
{
    const bool brief = uv_hrtime() - c->up_since < BRIEF;
    pg_blocking_connection_close(c);
    uv_mutex_lock(&p->lock);
    p->up--;
    shard_add(SHARD_DATABASE_CONNECTIONS, -1);
    shard_add(SHARD_DATABASE_LOST, 1);
    set_aside(p, c);
    p->first_host += c->elsewhere && c->first_host == p->first_host;
    delay_next_attempt(p, brief);
    pg_outage_log_begin(&p->outage, "lost a connection", c->last_words);
    p->suspicious = true;
    uv_cond_signal(&p->news);
    uv_mutex_unlock(&p->lock);
}

/* Where one has broken, others that are idle may have too: they are found together, before each would
 * fail a query. */
static void check_idle(pg_blocking_pool *p)
{
    resource *standing = NULL;
    for (resource *r; (r = resource_pool_try_acquire(&p->idle));) {
        if (!pg_blocking_connection_stands(connection_of(r))) {
            connection_lost(p, connection_of(r));
            continue;
        }
        r->next = standing;
        standing = r;
    }
    for (resource *next; standing; standing = next) {
        next = standing->next;
        resource_pool_release(&p->idle, standing);
    }
}

static void connect_one(pg_blocking_pool *p)
{
    char why[256] = "";
    pg_blocking_connection *c = connection_of(p->unconnected);
    p->unconnected = c->base.next;
    const int first_host = p->first_host;
    const uint64_t timeout = pg_target_connect_timeout(p->target, p->silences);
    const bool spare = p->up > 0 && (!timeout || timeout > SPARE_MS);

    uv_mutex_unlock(&p->lock);
    const int err = pg_blocking_connection_open(c, first_host, spare ? SPARE_MS : timeout, &p->closing, why, sizeof why);
    uv_mutex_lock(&p->lock);
    if (err) {
        connect_failed(p, c, err, why);
        return;
    }
    connect_succeeded(p);
    resource_pool_release(&p->idle, &c->base);
}

static void *run_connector(void *arg)
{
    pg_blocking_pool *p = arg;
    uv_mutex_lock(&p->lock);
    while (!atomic_load(&p->closing)) {
        const uint64_t now = uv_hrtime();
        if (p->suspicious) {
            p->suspicious = false;
            uv_mutex_unlock(&p->lock);
            check_idle(p);
            uv_mutex_lock(&p->lock);
            continue;
        }
        if (p->up >= p->wanted)
            uv_cond_wait(&p->news, &p->lock);
        else if (now < p->next_attempt)
            uv_cond_timedwait(&p->news, &p->lock, p->next_attempt - now);
        else
            connect_one(p);
    }
    uv_mutex_unlock(&p->lock);
    return NULL;
}

static int start_connector(pg_blocking_pool *p)
{
    const int err = thread_start(&p->connector, run_connector, p);
    p->started = !err;
    return err ? UV_EAGAIN : 0;
}

/* A thread has to wait. If its query goes again, the connection that it had is connected again anyway. */
static int want_another(pg_blocking_pool *p, bool ahead)
{
    int err = 0;
    uv_mutex_lock(&p->lock);
    if (!p->started)
        err = start_connector(p);
    if (!err && !ahead && !p->down && p->wanted < database_blocking_connections(p->target->options)) {
        p->wanted++;
        uv_cond_signal(&p->news);
    }
    uv_mutex_unlock(&p->lock);
    return err;
}

int pg_blocking_pool_acquire(pg_blocking_pool *p, pg_blocking_connection **c, uint64_t until, bool ahead)
{
    resource *r = resource_pool_try_acquire(&p->idle);
    int err = r ? 0 : want_another(p, ahead);
    if (!r && !err)
        err = resource_pool_acquire(&p->idle, &r, until, ahead ? RESOURCE_POOL_AHEAD : RESOURCE_POOL_USUAL);
    if (!err)
        *c = connection_of(r);
    return err;
}

void pg_blocking_pool_release(pg_blocking_pool *p, pg_blocking_connection *c)
{
    if (c->lost)
        connection_lost(p, c);
    else
        resource_pool_release(&p->idle, &c->base);
}

pg_blocking_pool *pg_blocking_pool_new(pg_target *t)
{
    pg_blocking_pool *p = mem_alloc(sizeof *p);
    p->target = t;
    resource_pool_init(&p->idle, t->options->line, (codel){ 0 });
    uv_mutex_init(&p->lock);
    uv_cond_init(&p->news);
    const int count = database_blocking_connections(t->options);
    p->connections = mem_alloc((size_t)count * sizeof *p->connections);
    for (int i = 0; i < count; i++) {
        p->connections[i].target = t;
        set_aside(p, &p->connections[i]);
    }
    return p;
}

void pg_blocking_pool_free(pg_blocking_pool *p)
{
    uv_mutex_lock(&p->lock);
    atomic_store(&p->closing, true);
    uv_cond_signal(&p->news);
    uv_mutex_unlock(&p->lock);
    if (p->started)
        pthread_join(p->connector, NULL);
    shard_add(SHARD_DATABASE_CONNECTIONS, -p->up);
    for (int i = 0; i < database_blocking_connections(p->target->options); i++) {
        pg_blocking_connection_close(&p->connections[i]);
        pg_prepared_table_done(&p->connections[i].prepared);
        pg_prepared_names_done(&p->connections[i].names);
    }
    resource_pool_done(&p->idle);
    uv_cond_destroy(&p->news);
    uv_mutex_destroy(&p->lock);
    mem_free(p->connections);
    mem_free(p);
}
