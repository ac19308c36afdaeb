/* user_page_callbacks.c - GET /users/:id, stage one: callbacks.
 *
 * The flow is scattered over four functions and a counter, and every one of them must get the
 * errors right. Read it once, then read user_page.c, which does the same. */
#include "page.h"

struct state {
    page   page;
    int    waiting;                          /* queries not yet answered */
    int    err;                              /* the first thing that went wrong */
    void (*done)(int err, void *arg);
    void  *arg;
};

static void on_rendered(int err, void *arg)
{
    struct state *s = arg;
    if (!err)
        err = respond_page(&s->page);
    s->done(err, s->arg);
}

static void on_fetched(struct state *s)
{
    if (!s->err && s->page.user.count == 0)
        s->err = E_NOT_FOUND;
    if (s->err) {
        s->done(s->err, s->arg);
        return;
    }
    when_settled(render(&s->page), on_rendered, s);
}

static void on_rows(int err, void *arg)
{
    struct state *s = arg;
    if (err && !s->err)
        s->err = err;
    if (--s->waiting == 0)                   /* the other query may still be writing to *s */
        on_fetched(s);
}

void user_page_callbacks(request *req, void (*done)(int err, void *arg), void *arg)
{
    struct state *s = request_alloc(req, sizeof *s);
    s->done     = done;
    s->arg      = arg;
    s->waiting  = 2;

    int err = page_begin(&s->page, req);
    if (err) {
        done(err, arg);
        return;
    }
    when_settled(query(req, &s->page.user,  &USER_BY_ID,    integer(s->page.id)), on_rows, s);
    when_settled(query(req, &s->page.posts, &POSTS_BY_USER, integer(s->page.id), integer(s->page.from)), on_rows, s);
}
