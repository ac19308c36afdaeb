/* user_page.c - GET /users/:id, stage three: async/await.
 *
 * Reads like blocking code, from top to bottom. Both queries are under way at once; while the task
 * waits, the loop serves others. The same three steps as callbacks and as promises are in the files
 * beside this one. */
#include "page.h"
#include "server/async/combine.h"
#include "server/async/task.h"

async int user_page(request *req)
{
    page page;
    int err = page_begin(&page, req);
    if (err)
        return err;

    err = await(gather(query(req, &page.user,  &USER_BY_ID,    integer(page.id)),
                       query(req, &page.posts, &POSTS_BY_USER, integer(page.id), integer(page.from))));
    if (err)
        return err;
    if (page.user.count == 0)
        return E_NOT_FOUND;

    err = await(render(&page));
    if (err)
        return err;

    return respond_page(&page);
}
