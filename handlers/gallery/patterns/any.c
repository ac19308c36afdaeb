/* any.c - the first success; failures do not count until there is nothing else. */
#include "mirrors.h"

static const choices ARE_GOOD = {
    .key = "good", .label = "Of the mirrors", .of = { { "two", "two are good" }, { "none", "none is good" } },
};

SHOW_FROM(any)
static async int fetch(void *arg)
{
    mirror *m = arg;
    int err = await(http_get(request_arena(m->r->req), m->address, &m->got));
    if (!err && m->got.status != 200)
        err = E_NOT_FOUND;                   /* 404 is an answer, too */
    return err;
}

static async int run_any(run *r)
{
    mirror m[MIRRORS];
    mirrors_set_up(r, m, r->chosen == 0);
    return await(any(task_start(m[0].name, fetch, &m[0]),
                     task_start(m[1].name, fetch, &m[1]),
                     task_start(m[2].name, fetch, &m[2]),
                     task_start(m[3].name, fetch, &m[3])));
}
SHOW_TO(any)

const pattern PATTERN_ANY = {
    .name = "any", .title = "Any: the first that succeeds", .group = GROUP_TOGETHER, .await = run_any, SOURCE_OF(any),
    .choices = &ARE_GOOD,
    .not_in_threads = "A blocking thread asks one mirror after the other, each to its end: the last would not be called off.",
    .shows = "Four mirrors are asked for a page by HTTP. A race would end with the first to say anything, which says no; any goes"
             " on until one succeeds, and only then calls off the rest: the slow one is cancelled, long before its half second"
             " is over. When none is good, it fails when all have failed, as the first of them did.",
};
