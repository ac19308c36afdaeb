/* race.c - the same question to two databases: the first answer wins, the other is called off. */
#include "handlers/replica.h"
#include "handlers/users/page.h"
#include "pattern.h"

enum { SLOW_PRIMARY, SLOW_REPLICA, SLOW_NEITHER };

static const choices SLOW = {
    .key = "slow", .label = "Slow today",
    .of = {
        [SLOW_PRIMARY] = { "primary", "the way to the primary" },
        [SLOW_REPLICA] = { "replica", "the way to the replica" },
        [SLOW_NEITHER] = { "neither", "neither" },
    },
};

typedef struct side {
    run        *r;
    db         *replica;                     /* or NULL: the site's own database */
    const char *name;
    uint64_t    link;                        /* milliseconds that it takes to get there */
    rows        found;
} side;

/* Ten titles are looked for in the posts of the first three hundred: no index helps. */
static const statement QUOTES = {
    .name = "pattern_quotes", .reads = true, .columns = "i",
    .sql  = "select count(distinct quoting.id) from posts as quoted, posts as quoting where quoted.user_id = $1 and"
            " quoting.user_id <= 300 and quoting.body like '%' || substr(quoted.title, 1, 12) || '%'",
};

static int ask(void *arg);

/* The question is asked once before, alone: what is slow is slow as compared with that. It also has the statement prepared, and
 * what connects when it is first asked is no part of the race. */
static async int sides_open(run *r, side *primary, side *replica)
{
    rows user;
    *primary = (side){ .r = r, .name = "at the primary" };
    *replica = (side){ .r = r, .name = "at the replica" };
    int err = replica_open(&replica->replica);
    if (!err)
        err = await(replica_query(replica->replica, request_arena(r->req), &user, &USER_BY_ID, integer(42)));
    if (err)
        return err;
    const uint64_t begun = uv_hrtime();
    err = await(step(r, "alone, before", query(r->req, &user, &QUOTES, integer(42))));
    const uint64_t alone = (uv_hrtime() - begun) / 1000;

    figure_is(r, "alone", (int64_t)alone, "us");
    if (r->chosen != SLOW_NEITHER)
        *(r->chosen == SLOW_PRIMARY ? &primary->link : &replica->link) = alone / 2000 + 1;
    return err;
}

SHOW_FROM(race)
/* One of the two: how many posts quote a title of user 42? */
static async int ask(void *arg)
{
    side *s = arg;
    int err = await(sleep_for(s->link));     /* the way there */
    if (err)
        return err;
    arena *a = request_arena(s->r->req);
    promise *p = s->replica
        ? replica_query(s->replica, a, &s->found, &QUOTES, integer(42))
        : query(s->r->req, &s->found, &QUOTES, integer(42));
    return await(step(s->r, s->name, p));
}

static async int run_race(run *r)
{
    side primary, replica;
    int err = sides_open(r, &primary, &replica);
    if (!err)
        err = await(race(task_start("primary", ask, &primary),
                         task_start("replica", ask, &replica)));
    if (err)
        return err;
    mark(r, "answered, and nobody is still at work");

    const rows *found = primary.found.count ? &primary.found : &replica.found;
    figure_is(r, "posts", rows_int(found, 0, 0), "");
    return 0;
}
SHOW_TO(race)

const pattern PATTERN_RACE = {
    .name = "race", .title = "Race: the primary against a replica", .group = GROUP_TOGETHER, .await = run_race, SOURCE_OF(race),
    .choices = &SLOW,
    .not_in_threads = "A blocking thread asks the one, and when that has answered, the other: there is no race.",
    .shows = "The same question to two databases, and the way to one of them is slow today: it takes half as long as the"
             " question, which is asked alone before. Whoever answers first decides; the loser is cancelled, and its query with"
             " it, at the database itself, which stops its search. Race returns when that is done: no forgotten query goes on"
             " behind its back. The replica is that of [patterns] replica, or else the same database, by connections of its own.",
};
