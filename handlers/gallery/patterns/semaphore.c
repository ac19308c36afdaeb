/* semaphore.c - a hundred requests to another server, and never more than ten at once. */
#include "pattern.h"
#include "server/async/semaphore.h"
#include "server/http/client/client.h"

SHOW_FROM(semaphore)
enum { FETCHES = 100, AT_ONCE = 10 };

struct visitors { run *r; semaphore *door; const char *address; int inside, most; };

static async int fetch(void *arg)
{
    struct visitors *v = arg;
    http_answer got;
    int err = await(semaphore_enter(v->door));
    if (err)
        return err;

    plot(v->r, "under way", ++v->inside);
    if (v->inside > v->most)
        v->most = v->inside;
    err = await(http_get(request_arena(v->r->req), v->address, &got));
    plot(v->r, "under way", --v->inside);

    semaphore_leave(v->door);
    return err;
}

static async int run_semaphore(run *r)
{
    struct visitors v = { r, semaphore_new(AT_ONCE, FETCHES), own_address(r, "/sleep?ms=5"), 0, 0 };
    promise *all[FETCHES];
    for (int i = 0; i < FETCHES; i++)
        all[i] = task_start("fetch", fetch, &v);
    const int err = await(promise_gather(all, FETCHES));

    figure_is(r, "fetches", FETCHES, "");
    figure_is(r, "at once, at most", v.most, "");
    semaphore_free(v.door);
    return err;
}
SHOW_TO(semaphore)

const pattern PATTERN_SEMAPHORE = {
    .name = "semaphore", .title = "A semaphore over a hundred fetches", .group = GROUP_BOUNDS, .await = run_semaphore,
    SOURCE_OF(semaphore),
    .shows = "A hundred tasks want something of another server (this one, over its own address), which would not like to be"
             " asked a hundred times at once. The semaphore has ten permits; who comes when all are taken waits until one is"
             " free, first come, first served. In threads mode one thread fetches one after the other, and finds a permit free"
             " each time.",
};
