/* await.c - the letter by async/await: from top to bottom, and all errors in one place. */
#include "letter.h"

SHOW_FROM(await)
static async int run_await(run *r)
{
    letter *l = letter_new(r);
    int err = await(step(r, "file", file_read(l->file, l->arena, LETTER_SIZE, &l->words)));
    if (!err)
        err = await(step(r, "database", query(r->req, &l->reader, l->find, integer(letter_to(l)))));
    if (!err)
        err = await(step(r, "server", http_get(l->arena, l->server, &l->answer)));
    if (!err)
        err = await(step(r, "render", in_thread(letter_render, l)));
    return err ? letter_apologize(l, err) : letter_send(l);
}
SHOW_TO(await)

const pattern PATTERN_AWAIT = {
    .name = "await", .title = "async/await, with errors in one place", .group = GROUP_WRITTEN, .await = run_await,
    SOURCE_OF(await), .choices = &LETTER_FAILS,
    .shows = "The same letter, from top to bottom. A step is a line, a loop would be a loop, and an error is a return value:"
             " after one no further step begins, and all of them arrive in the last line. While the task waits for the other"
             " server, its loop is free: with --workers 1 it is the same loop that answers. In threads mode, this source blocks.",
};
