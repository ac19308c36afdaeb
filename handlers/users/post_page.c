/* post_page.c - GET /posts/:id: one post. */
#include "handlers/handlers.h"
#include "handlers/layout.h"
#include "page_html.h"
#include "post.h"
#include "server/async/task.h"
#include "server/http/conditions.h"
#include "handlers/site.h"
#include "handlers/workloads.h"

static const statement POST_BY_ID = {
    .name  = "post_by_id",
    .sql   = "select p.id, p.title, p.body, p.created_at, p.user_id, u.name"
             " from posts p join users u on u.id = p.user_id where p.id = $1",
    .reads = true, .columns = "ittiit",
};

struct one { request *req; rows post; text html; };

static int post_render_html(void *arg)
{
    struct one *one = arg;
    const rows *r = &one->post;
    buffer b;

    buffer_init(&b, request_arena(one->req));
    layout_begin(&b, rows_text(r, 0, 1));
    buffer_text(&b, TEXT("<h1 class=\"by\">A post by <a href=\"/users/"));
    buffer_int(&b, rows_int(r, 0, 4));
    buffer_text(&b, TEXT("\">"));
    buffer_html(&b, rows_text(r, 0, 5));
    buffer_text(&b, TEXT("</a></h1>\n"));
    page_html_post(&b, rows_int(r, 0, 0), rows_text(r, 0, 1), rows_text(r, 0, 2), rows_int(r, 0, 3));
    layout_end(&b);
    one->html = buffer_all(&b);
    return 0;
}

async int post_page(request *req)
{
    struct one one = { .req = req };
    int64_t id;
    int err = request_param_int(req, "id", &id);
    if (err)
        return err;
    err = await(query(req, &one.post, &POST_BY_ID, integer(id)));
    if (err)
        return err;
    if (one.post.count == 0)
        return E_NOT_FOUND;

    if (request_prefers_json(req)) {
        respond_header(req, "Vary", "Accept");
        respond_header(req, "Cache-Control", "no-cache");    /* else a time long ago is taken for a promise */
        const post p = { rows_text(&one.post, 0, 1), rows_text(&one.post, 0, 2) };
        const int64_t user = rows_int(&one.post, 0, 4), created_at = rows_int(&one.post, 0, 3);
        return respond_tagged(req, "application/json", post_json(request_arena(req), id, user, &p, created_at), created_at);
    }
    const size_t size = page_html_post_size(rows_text(&one.post, 0, 1), rows_text(&one.post, 0, 2));
    err = await(site_render(req, (workload_run){ &POST_PAGE, LAYOUT_SIZE + size, post_render_html, &one }));
    return err ? err : respond_html(req, 200, one.html);
}
