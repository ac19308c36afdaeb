/* users.c - GET /users: all users, fifty a page. */
#include "handlers/handlers.h"
#include "handlers/layout.h"
#include "server/async/task.h"
#include "handlers/site.h"
#include "handlers/workloads.h"

enum { PAGE = 50, LAST = 1000000 };

/* One more than a page holds tells whether there is another. */
static const statement USERS_FROM = {
    .name  = "users_from",
    .sql   = "select id, name, email from users order by id limit 51 offset $1",
    .reads = true, .columns = "itt",
};

static void users_write_link(buffer *b, const char *relation, int64_t number, const char *label)
{
    buffer_printf(b, "<a rel=\"%s\" href=\"/users?page=%lld\">%s</a> ", relation, (long long)number, label);
}

typedef struct users_page { request *req; rows found; int64_t number; text html; } users_page;

static int users_render_html(void *arg)
{
    users_page *p = arg;
    const rows *r = &p->found;
    const int64_t number = p->number;
    buffer b;
    buffer_init(&b, request_arena(p->req));
    layout_begin(&b, TEXT("Users"));
    buffer_printf(&b, "<h1>Users</h1>\n<ol class=\"users\" start=\"%lld\">\n", (long long)(number - 1) * PAGE + 1);
    for (int i = 0; i < r->count && i < PAGE; i++) {
        buffer_printf(&b, "<li><a href=\"/users/%lld\">", (long long)rows_int(r, i, 0));
        buffer_html(&b, rows_text(r, i, 1));
        buffer_text(&b, TEXT("</a> <span class=\"meta\">"));
        buffer_html(&b, rows_text(r, i, 2));
        buffer_text(&b, TEXT("</span></li>\n"));
    }
    buffer_text(&b, TEXT("</ol>\n<nav class=\"pages\">"));
    if (number > 1)
        users_write_link(&b, "prev", number - 1, "previous");
    if (r->count > PAGE)
        users_write_link(&b, "next", number + 1, "next");
    buffer_text(&b, TEXT("</nav>\n"));
    layout_end(&b);
    p->html = buffer_all(&b);
    return 0;
}

/* About how many bytes that is. */
static size_t users_html_size(const rows *r)
{
    enum { EACH = 110 };
    return LAYOUT_SIZE + EACH * (size_t)r->count;
}

static void users_write_address(buffer *b, const char *key, bool there, int64_t number)
{
    if (there)
        buffer_printf(b, ",\"%s\":\"/users?page=%lld\"", key, (long long)number);
    else
        buffer_printf(b, ",\"%s\":null", key);
}

static text users_as_json(request *req, const rows *r, int64_t number)
{
    buffer b;
    buffer_init(&b, request_arena(req));
    buffer_text(&b, TEXT("{\"users\":["));
    for (int i = 0; i < r->count && i < PAGE; i++) {
        buffer_printf(&b, "%s{\"id\":%lld,\"name\":", i ? "," : "", (long long)rows_int(r, i, 0));
        buffer_json(&b, rows_text(r, i, 1));
        buffer_text(&b, TEXT(",\"email\":"));
        buffer_json(&b, rows_text(r, i, 2));
        buffer_text(&b, TEXT("}"));
    }
    buffer_text(&b, TEXT("]"));
    users_write_address(&b, "previous", number > 1, number - 1);
    users_write_address(&b, "next", r->count > PAGE, number + 1);
    buffer_text(&b, TEXT("}"));
    return buffer_all(&b);
}

async int users(request *req)
{
    users_page page = { .req = req, .number = 1 };
    int err = request_query_int(req, "page", &page.number);
    if (err || page.number < 1 || page.number > LAST)
        return respond_problem(req, 400, "page must be a whole number from 1 to %d.", LAST);

    err = await(query(req, &page.found, &USERS_FROM, integer((page.number - 1) * PAGE)));
    if (err)
        return err;

    if (request_prefers_json(req))
        return respond_json(req, 200, users_as_json(req, &page.found, page.number));
    err = await(site_render(req, (workload_run){ &USERS_PAGE, users_html_size(&page.found), users_render_html, &page }));
    return err ? err : respond_html(req, 200, page.html);
}
