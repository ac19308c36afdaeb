/* all_settled.c - every outcome, good or bad. */
#include "mirrors.h"
#include "server/base/buffer.h"

static void write_outcomes(run *r, const mirror m[], const int outcomes[], int count);

SHOW_FROM(settled)
static async int fetch(void *arg)
{
    mirror *m = arg;
    const http_call call = { .url = m->address, .timeout_ms = 100 };
    int err = await(http_fetch(request_arena(m->r->req), &call, &m->got));
    if (!err && m->got.status != 200)
        err = E_NOT_FOUND;
    return err;
}

static async int run_settled(run *r)
{
    mirror m[MIRRORS];
    int outcomes[MIRRORS], good = 0;
    mirrors_set_up(r, m, true);
    int err = await(all_settled(outcomes,
                                task_start(m[0].name, fetch, &m[0]),
                                task_start(m[1].name, fetch, &m[1]),
                                task_start(m[2].name, fetch, &m[2]),
                                task_start(m[3].name, fetch, &m[3])));
    for (int i = 0; !err && i < MIRRORS; i++)
        good += outcomes[i] == 0;
    figure_is(r, "have answered", good, "of 4");
    write_outcomes(r, m, outcomes, err ? 0 : MIRRORS);
    return err;
}
SHOW_TO(settled)

static void write_outcomes(run *r, const mirror m[], const int outcomes[], int count)
{
    buffer b;
    buffer_init(&b, request_arena(r->req));
    buffer_text(&b, TEXT("<ul>\n"));
    for (int i = 0; i < count; i++)
        buffer_printf(&b, "<li><code>outcomes[%d]</code>, of the one that %s: <b>%s</b></li>\n", i, m[i].name,
                      outcomes[i] == 0 ? "0" : outcomes[i] == E_NOT_FOUND ? "E_NOT_FOUND" : uv_err_name(outcomes[i]));
    buffer_text(&b, TEXT("</ul>\n"));
    r->output = buffer_all(&b);
}

const pattern PATTERN_ALL_SETTLED = {
    .name = "all-settled", .title = "All settled: every outcome, good or bad", .group = GROUP_TOGETHER, .await = run_settled,
    SOURCE_OF(settled),
    .shows = "Where one failure is no reason to stop the others: four servers are asked by HTTP, each has 100 ms, and each part"
             " goes on to its end. One answers; one refuses, one has no such page, and one is too slow. What became of each is"
             " in outcomes, and the await itself succeeds, when the last has ended: that is the one whose time was up."
             " In a blocking thread they come one after the other.",
};
