/* page.h - a user and a page of their posts: what the stages of GET /users/:id have in common. */
#ifndef PAGE_H
#define PAGE_H

#include "handlers/handlers.h"
#include "page_html.h"
#include "handlers/site.h"

extern const statement USER_BY_ID, POSTS_BY_USER;

typedef struct page {
    request *req;
    int64_t  id;
    int64_t  from;                           /* posts that came later, on the pages before: ?page=N, from 1 */
    rows     user, posts;
    bool     as_json;
    text     body;                           /* once rendered; the request's */
} page;

/* Reads what the request asks for: 0, or what the handler returns. */
int page_begin(page *page, request *req);

/* Writes page->body as the client prefers it: HTML as a workload (workload.h), on the thread pool if it will take its
 * time; JSON here and now, for the way to another thread would take longer. With ?render=thread the HTML is written on
 * the pool, and with ?render=inline here and now, however long it takes, to see what that does to others; with
 * ?render=process in a worker process, where a renderer that crashes or never ends does no harm to other requests. The
 * last two only where there is the gallery, for that is what they show. */
MUST_AWAIT promise *render(page *page);

int respond_page(page *page);

#endif
