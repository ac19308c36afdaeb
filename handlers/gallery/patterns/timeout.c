/* timeout.c - a timeout that is more than an answer to the client: the query ends, too. */
#include "pattern.h"
#include "server/async/loop.h"

SHOW_FROM(timeout)
enum { PATIENCE = 60, LOOK = 50 };           /* milliseconds */

static const statement TOO_SLOW = {
    .name = "pattern_too_slow", .reads = true,
    .sql = "select count(*) from (select pg_sleep($1::bigint)) as too_slow",
};
static const statement STILL_THERE = {
    .name = "pattern_still_there", .reads = true, .columns = "i",
    .sql = "select count(*) from pg_stat_activity where state = 'active' and query like $1",
};

struct impatient { run *r; rows ignored; };

/* PostgreSQL sleeps for five seconds; SQLite has to count for about as long. */
static promise *too_slow(struct impatient *i)
{
    return site_on_postgres() ? query(i->r->req, &i->ignored, &TOO_SLOW, integer(5)) : slow_query(i->r, 5000);
}

static async int by_timeout(void *arg)
{
    struct impatient *i = arg;
    return await(with_timeout(step(i->r, "five seconds", too_slow(i)), PATIENCE));
}

static async int by_deadline(void *arg)
{
    struct impatient *i = arg;
    const uint64_t before = task_deadline();
    task_limit(NULL, deadline_in(PATIENCE));                 /* of the task that runs, or of the blocking thread */
    const int err = await(step(i->r, "five seconds", too_slow(i)));
    task_limit(NULL, before);
    return err;
}

static async int time_out(run *r, const char *name, int (*how)(void *arg), const char *took)
{
    struct impatient i = { .r = r };
    const uint64_t since = uv_hrtime();
    const int err = await(task_start(name, how, &i));
    figure_is(r, took, (int64_t)(uv_hrtime() - since) / 1000000, "ms");
    return err == UV_ETIMEDOUT ? 0 : err;
}

static int64_t cpu_used(void)                /* by this process: microseconds */
{
    uv_rusage_t used;
    if (uv_getrusage(&used))
        return 0;
    return ((int64_t)used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000 + used.ru_utime.tv_usec + used.ru_stime.tv_usec;
}

/* PostgreSQL knows what it runs. SQLite runs in this process: what counts on would use a processor. */
static async int look_for_them(run *r)
{
    rows left;
    const int64_t before = cpu_used();
    int err = await(sleep_for(LOOK));
    if (!err && !site_on_postgres())
        figure_is(r, "CPU time of the 50 ms after", (cpu_used() - before) / 1000, "ms");
    else if (!err && !(err = await(query(r->req, &left, &STILL_THERE, string(TEXT("%as too_slow"))))))
        figure_is(r, "of such queries go on at the server", rows_int(&left, 0, 0), "");
    return err;
}

static async int run_timeout(run *r)
{
    int err = 0;
    if (loop_here())                         /* a blocking thread cannot call off what it waits for: see the text */
        err = time_out(r, "with_timeout", by_timeout, "ended by with_timeout of 60 ms, after");
    if (!err)
        err = time_out(r, "a deadline", by_deadline, "ended by a deadline in 60 ms, after");
    return err ? err : look_for_them(r);
}
SHOW_TO(timeout)

const pattern PATTERN_TIMEOUT = {
    .name = "timeout", .title = "A timeout that reaches the database", .group = GROUP_BOUNDS, .await = run_timeout,
    SOURCE_OF(timeout),
    .shows = "A query would take five seconds and has sixty milliseconds, by with_timeout, or by the deadline of the task that"
             " awaits it. When they are over it is cancelled: PostgreSQL is told to, and SQLite's thread looks every thousand"
             " steps. Neither returns before the database has let go, and nothing goes on afterwards: PostgreSQL lists no such"
             " query, and on SQLite the processor is idle. In threads mode there is only the deadline, the blocking thread's:"
             " with_timeout has no loop that could look at the time.",
};
