/* readyz.c - GET /readyz: whether requests are to be sent here, for who chooses among servers: 200, or a problem of 503.
 *
 * It is not ready before all of it serves and the database has answered for the first time; once it has been told to stop; and
 * when the database has been away for [health] grace. So long it is ready all the same: a database that is restarted is every
 * server's, and what needs none of it is served meanwhile. The database is asked each time, but for an
 * answer that is fresh. That it is only too busy to answer this is no reason, as long as it answers others. */
#include "readyz.h"
#include "handlers.h"
#include "site.h"
#include "server/base/observe/shard.h"
#include "server/base/overload/refusal.h"
#include "server/http/server.h"

#include <stdatomic.h>

enum { TIME = 500 };                         /* ms, to ask it: whoever asks us waits no longer than a second */

static const statement ANSWERS = { "ready", "select exists (select 1 from users)", true, "b", NULL };
static const uint64_t  FRESH = 500000000;    /* nanoseconds */

static uint64_t grace;                       /* nanoseconds */
static struct {                              /* of the database */
    _Atomic uint64_t answered;               /* uv_hrtime, last; 0: it never has */
    _Atomic uint64_t away;                   /* uv_hrtime, since when it is known to be; 0: it is not */
    _Atomic uint64_t others;                 /* queries that had been answered by then */
} known;

void readyz_configure(uint64_t grace_ms) { grace = grace_ms * 1000000; }

static void database_is_there(uint64_t now)
{
    atomic_store(&known.answered, now);
    atomic_store(&known.away, 0);
}

static async int ask_database(request *req)
{
    rows ignored;
    request_set_deadline(req, deadline_in(TIME));
    return await(site_query(req, &ignored, &ANSWERS, 0, NULL));
}

/* Asks, unless it is known anyway. */
static async void look_at_database(request *req)
{
    const uint64_t last = atomic_load(&known.answered);
    uint64_t never = 0;
    if (last && uv_hrtime() - last < FRESH)
        return;
    const int err = ask_database(req);
    const uint64_t now = uv_hrtime(), others = shard_sum(SHARD_DATABASE_ANSWERED);
    if (!err || refusal_is(err) || others != atomic_exchange(&known.others, others))
        database_is_there(now);
    else if (err != UV_ECANCELED)
        atomic_compare_exchange_strong(&known.away, &never, now);
}

async int readyz(request *req)
{
    const server_state state = server_state_now();
    if (state != SERVER_SERVING)
        return respond_problem(req, 503, state == SERVER_STARTING ? "The server is starting." : "The server is stopping.");
    look_at_database(req);
    const uint64_t away = atomic_load(&known.away), now = uv_hrtime();
    if (!atomic_load(&known.answered))
        return respond_problem(req, 503, "The database has not answered yet.");
    if (away && now - away >= grace)
        return respond_problem(req, 503, "The database has been away for %.1f s.", (double)(now - away) / 1e9);
    respond_header(req, "Cache-Control", "no-store");
    return respond(req, 200, "text/plain", TEXT("ready\n"));
}
