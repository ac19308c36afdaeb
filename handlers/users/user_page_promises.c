/* user_page_promises.c - GET /users/:id, stage two: promises.
 *
 * Each step is still its own function, and the state still lives on the heap, but counting, joining
 * and error plumbing are gone: a failed step skips the steps after it. */
#include "page.h"
#include "server/async/chain.h"
#include "server/async/combine.h"

static promise *then_render(void *arg)
{
    page *page = arg;
    if (page->user.count == 0)
        return promise_settled(E_NOT_FOUND);
    return render(page);
}

static promise *then_respond(void *arg)
{
    return promise_settled(respond_page(arg));
}

promise *user_page_promises(request *req)
{
    page *page = request_alloc(req, sizeof *page);
    int err = page_begin(page, req);
    if (err)
        return promise_settled(err);

    promise *fetched  = gather(query(req, &page->user,  &USER_BY_ID,    integer(page->id)),
                               query(req, &page->posts, &POSTS_BY_USER, integer(page->id), integer(page->from)));
    promise *rendered = then(fetched, then_render, page);
    return then(rendered, then_respond, page);
}
