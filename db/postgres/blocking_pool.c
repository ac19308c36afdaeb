/* blocking_pool.c - see blocking_pool.h. */
#include "blocking_pool.h"
#include "server/base/blocking_wait.h"
#include "server/base/log.h"
#include "server/base/memory.h"

#include <signal.h>

enum { SPARE_MS = 1000 };                    /* for one more than serve: nobody else is connected meanwhile */

static const uint64_t BRIEF = 1000000000;    /* after a session that lasted less, the next one waits */

static pg_blocking_connection *session_of(resource *l) { return (pg_blocking_connection *)l; }

/* The next four, with the lock held. */
static void lay_aside(pg_shared *p, pg_blocking_connection *s)
{
    s->base.next = p->unconnected;
    p->unconnected = &s->base;
}

/* Sessions that break together are one reason to wait, not many. */
static void wait_before_the_next(pg_shared *p, bool later)
{
    if (!later || !p->up || p->next_attempt <= uv_hrtime())
        p->next_attempt = deadline_in(pg_backoff(&p->backoff, later, p->up > 0));
}

static void could_not_connect(pg_shared *p, pg_blocking_connection *s, int err, const char *why)
{
    lay_aside(p, s);
    if (err == UV_ETIMEDOUT) {
        p->first_host++;
        p->silences++;
    }
    const bool again = p->served && err != UV_ETIMEDOUT;
    p->served = false;
    wait_before_the_next(p, !again);
    if (atomic_load(&p->closing))
        return;
    pg_journal_trouble(&p->journal, "cannot connect", why);
    if (p->up || p->down || again)
        return;
    log_error("postgres: no connection to %s: %s", p->database->target.description, why);
    p->down = true;
    resource_pool_refuse(&p->resource_pool, UV_ECONNREFUSED);
}

static void connected(pg_shared *p)
{
    p->up++;
    p->served = true;
    p->silences = 0;
    p->next_attempt = 0;                     /* what one can do, the others can */
    if (p->down || p->up == p->wanted)
        pg_journal_recovered(&p->journal);
    p->down = false;
    resource_pool_refuse(&p->resource_pool, 0);
}

static void lost(pg_shared *p, pg_blocking_connection *s)
{
    const bool brief = uv_hrtime() - s->up_since < BRIEF;
    pg_session_close(s);
    uv_mutex_lock(&p->lock);
    p->up--;
    lay_aside(p, s);
    p->first_host += s->elsewhere && s->first_host == p->first_host;
    wait_before_the_next(p, brief);
    pg_journal_trouble(&p->journal, "lost a connection", s->last_words);
    p->suspicious = true;
    uv_cond_signal(&p->news);
    uv_mutex_unlock(&p->lock);
}

/* Where one has broken, others that are idle may have too: so they are found together, before each
 * would trouble somebody. */
static void look_at_the_idle(pg_shared *p)
{
    resource *standing = NULL;
    for (resource *l; (l = resource_pool_try_acquire(&p->resource_pool));) {
        if (!pg_session_stands(session_of(l))) {
            lost(p, session_of(l));
            continue;
        }
        l->next = standing;
        standing = l;
    }
    for (resource *next; standing; standing = next) {
        next = standing->next;
        resource_pool_release(&p->resource_pool, standing);
    }
}

static void connect_one(pg_shared *p)
{
    char why[256] = "";
    pg_blocking_connection *s = session_of(p->unconnected);
    p->unconnected = s->base.next;
    const int first_host = p->first_host;
    const uint64_t patience = pg_target_patience(&p->database->target, p->database->options, p->silences);
    const bool spare = p->up > 0 && (!patience || patience > SPARE_MS);

    uv_mutex_unlock(&p->lock);
    const int err = pg_session_connect(s, first_host, spare ? SPARE_MS : patience, &p->closing, why, sizeof why);
    uv_mutex_lock(&p->lock);
    if (err) {
        could_not_connect(p, s, err, why);
        return;
    }
    connected(p);
    resource_pool_release(&p->resource_pool, &s->base);
}

static void connect_all(void *arg)
{
    pg_shared *p = arg;
    uv_mutex_lock(&p->lock);
    while (!atomic_load(&p->closing)) {
        const uint64_t now = uv_hrtime();
        if (p->suspicious) {
            p->suspicious = false;
            uv_mutex_unlock(&p->lock);
            look_at_the_idle(p);
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
}

/* Signals are for the loops, or for the main thread. */
static int start_connector(pg_shared *p)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const int err = uv_thread_create(&p->connector, connect_all, p);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    p->started = !err;
    return err ? UV_EAGAIN : 0;
}

/* Somebody has to wait. If it comes again, the session that it had is connected again anyway. */
static int want_another(pg_shared *p, bool ahead)
{
    int err = 0;
    uv_mutex_lock(&p->lock);
    if (!p->started)
        err = start_connector(p);
    if (!err && !ahead && !p->down && p->wanted < p->database->options->connections) {
        p->wanted++;
        uv_cond_signal(&p->news);
    }
    uv_mutex_unlock(&p->lock);
    return err;
}

int pg_shared_borrow(pg_shared *p, pg_blocking_connection **s, uint64_t until, bool ahead)
{
    resource *l = resource_pool_try_acquire(&p->resource_pool);
    int err = l ? 0 : want_another(p, ahead);
    if (!l && !err)
        err = resource_pool_acquire(&p->resource_pool, &l, until, ahead ? RESOURCE_POOL_AHEAD : RESOURCE_POOL_USUAL);
    if (!err)
        *s = session_of(l);
    return err;
}

void pg_shared_return(pg_shared *p, pg_blocking_connection *s)
{
    if (s->lost)
        lost(p, s);
    else
        resource_pool_release(&p->resource_pool, &s->base);
}

void pg_shared_refused(pg_shared *p, const statement *s, const PGresult *r)
{
    uv_mutex_lock(&p->lock);
    pg_journal_refused(s->name, r);
    uv_mutex_unlock(&p->lock);
}

pg_shared *pg_shared_new(postgres *d)
{
    pg_shared *p = mem_alloc(sizeof *p);
    p->database = d;
    resource_pool_init(&p->resource_pool, d->options->line, (codel){ 0 });
    uv_mutex_init(&p->lock);
    uv_cond_init(&p->news);
    p->sessions = mem_alloc((size_t)d->options->connections * sizeof *p->sessions);
    for (int i = 0; i < d->options->connections; i++) {
        p->sessions[i].shared = p;
        lay_aside(p, &p->sessions[i]);
    }
    return p;
}

void pg_shared_free(pg_shared *p)
{
    uv_mutex_lock(&p->lock);
    atomic_store(&p->closing, true);
    uv_cond_signal(&p->news);
    uv_mutex_unlock(&p->lock);
    if (p->started)
        uv_thread_join(&p->connector);
    for (int i = 0; i < p->database->options->connections; i++) {
        pg_session_close(&p->sessions[i]);
        pg_plans_done(&p->sessions[i].plans);
        pg_names_done(&p->sessions[i].names);
    }
    resource_pool_done(&p->resource_pool);
    uv_cond_destroy(&p->news);
    uv_mutex_destroy(&p->lock);
    mem_free(p->sessions);
    mem_free(p);
}
