/* user_page_sequential.c - GET /users/:id/sequential: one query after the other, for comparison.
 *
 * The easy mistake: each await is harmless, together they cost the sum of both waits. */
#include "page.h"
#include "server/async/task.h"

async int user_page_sequential(request *req)
{
    page page;
    int err = page_begin(&page, req);
    if (err)
        return err;

    err = await(query(req, &page.user, &USER_BY_ID, integer(page.id)));
    if (err)
        return err;
    if (page.user.count == 0)
        return E_NOT_FOUND;

    err = await(query(req, &page.posts, &POSTS_BY_USER, integer(page.id), integer(page.from)));
    if (err)
        return err;

    err = await(render(&page));
    if (err)
        return err;

    return respond_page(&page);
}
