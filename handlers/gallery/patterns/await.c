/* await.c - async/await: loops, helpers that pause, and all errors in one place. */
#include "handlers/users/page.h"
#include "pattern.h"

SHOW_FROM(await)
static async int look_up(run *r, int64_t id) /* a helper that pauses, like any function */
{
    rows user;
    int err = await(query(r->req, &user, &USER_BY_ID, integer(id)));
    if (err)
        return err;
    return user.count > 0 ? 0 : E_NOT_FOUND;
}

static async int run_await(run *r)
{
    static const int64_t ids[] = { 1, 2, 0, 3 };             /* there is no user 0 */
    int err = 0, found = 0;

    for (int i = 0; !err && i < 4; i++) {
        err = look_up(r, ids[i]);
        found += !err;
    }
    if (!err)
        err = await(sleep_for(50));
    if (err)                                 /* whatever of it went wrong arrives here */
        mark(r, "dealt with, in one place");
    figure_is(r, "users found before the error", found, "");
    return 0;
}
SHOW_TO(await)

const pattern PATTERN_AWAIT = {
    .name = "await", .title = "async/await, with errors in one place", .group = GROUP_WRITTEN, .await = run_await,
    SOURCE_OF(await),
    .shows = "The same reads from top to bottom. A loop is a loop, a helper that waits is a function, and an error is a"
             " return value: the third user does not exist, so the fourth is not asked for.",
};
