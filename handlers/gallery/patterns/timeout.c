/* timeout.c - a timeout that is more than an answer to the client: the query ends, too. */
#include "pattern.h"

SHOW_FROM(timeout)
static const statement TOO_SLOW = {
    .name = "pattern_too_slow", .reads = true,
    .sql = "select count(*) from (select pg_sleep($1::bigint)) as too_slow",
};
static const statement STILL_THERE = {
    .name = "pattern_still_there", .reads = true, .columns = "i",
    .sql = "select count(*) from pg_stat_activity where state = 'active' and query like $1",
};

static async int run_timeout(run *r)
{
    rows ignored, left;
    int err = await(with_timeout(step(r, "five seconds", query(r->req, &ignored, &TOO_SLOW, integer(5))), 60));
    if (err != UV_ETIMEDOUT)
        return err;
    mark(r, "timed out");

    err = await(query(r->req, &left, &STILL_THERE, string(TEXT("%as too_slow"))));
    if (!err)
        figure_is(r, "of such queries go on at the server", rows_int(&left, 0, 0), "");
    return err;
}
SHOW_TO(timeout)

const pattern PATTERN_TIMEOUT = {
    .name = "timeout", .title = "A timeout that reaches the database", .group = GROUP_BOUNDS, .await = run_timeout,
    SOURCE_OF(timeout), .on_postgres = true,
    .not_in_threads = "A blocking thread that waits for the database sees no other clock than that of [database] timeout.",
    .shows = "The query would take five seconds and has sixty milliseconds. When they are over it is cancelled at the"
             " server: with_timeout returns when PostgreSQL has let go of it, and a look at pg_stat_activity finds nothing.",
};
