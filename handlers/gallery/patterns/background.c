/* background.c - work that no task waits for, and a group answers for. */
#include "pattern.h"
#include "server/async/background.h"

SHOW_FROM(background)
static async int send_letter(void *arg)
{
    (void)arg;
    return await(sleep_for(60));
}

static async int send_to_nowhere(void *arg)
{
    (void)arg;
    int err = await(sleep_for(20));
    return err ? err : UV_EHOSTUNREACH;      /* nobody handles it: the group logs it, with the task's name */
}

static async int run_background(run *r)
{
    background *b = background_new(4);       /* a server has one for its whole life */
    int err = background_start(b, "letter", send_letter, NULL, NULL);
    if (!err)
        err = background_start(b, "letter to nowhere", send_to_nowhere, NULL, NULL);
    mark(r, "the client could have its answer now");

    const int stopped = await(err ? background_stop(b) : background_join(b));
    if (stopped)
        (void)await(background_stop(b));
    figure_is(r, "failed, and logged", (int64_t)background_failed(b), "");
    background_free(b);
    return err ? err : stopped;
}
SHOW_TO(background)

const pattern PATTERN_BACKGROUND = {
    .name = "background", .title = "A task in the background", .group = GROUP_BOUNDS, .await = run_background,
    SOURCE_OF(background),
    .shows = "To start something and not wait for it takes a group: it bounds how many there are, logs those that fail, and"
             " can be waited for, or stopped, when the server stops. Here the run itself waits for it, to have it recorded.",
};
