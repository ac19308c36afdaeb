/* any.c - the first success; failures do not count until there is nothing else. */
#include "pattern.h"

SHOW_FROM(any)
struct mirror { int ms, outcome; };

static async int ask(void *arg)
{
    const struct mirror *m = arg;
    int err = await(sleep_for((uint64_t)m->ms));
    return err ? err : m->outcome;
}

static async int run_any(run *r)
{
    struct mirror down = { 5, UV_ECONNREFUSED }, good = { 30, 0 }, slow = { 500, 0 };
    (void)r;
    return await(any(task_start("a mirror that is down", ask, &down),
                     task_start("a good one", ask, &good),
                     task_start("a slow one", ask, &slow)));
}
SHOW_TO(any)

const pattern PATTERN_ANY = {
    .name = "any", .title = "Any: the first that succeeds", .group = GROUP_TOGETHER, .await = run_any, SOURCE_OF(any),
    .not_in_threads = "A blocking thread asks one mirror after the other, each to its end: the last would not be called off.",
    .shows = "A race would end with the first mirror, which is the quickest to say no. Any goes on until one succeeds, and"
             " only then calls off the rest; it fails when all have failed.",
};
