/* race.c - the same question to two servers: the first answer wins, the other is called off. */
#include "pattern.h"

SHOW_FROM(race)
static async int run_race(run *r)
{
    int err = await(race(step(r, "primary", slow_query(r, 400)),
                         step(r, "replica", slow_query(r, 20))));
    mark(r, "answered, and nobody is still at work");
    return err;
}
SHOW_TO(race)

const pattern PATTERN_RACE = {
    .name = "race", .title = "Race: the primary against a replica", .group = GROUP_TOGETHER, .await = run_race, SOURCE_OF(race),
    .not_in_threads = "A blocking thread asks the one, and when that has answered, the other: there is no race.",
    .shows = "The primary is slow today. Whoever answers first decides; the loser is cancelled, and its query with it, at the"
             " database itself. Race returns when that is done: no forgotten query goes on behind its back. (One database"
             " plays both parts here.)",
};
