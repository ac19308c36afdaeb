/* users.c - GET /users: all users, fifty a page, with their number, and links to other pages.
 *
 * To count them all takes the longer the more there are; so that is done by one request every few seconds, beside its own query,
 * and the others have what it has found. */
#include "handlers/handlers.h"
#include "handlers/layout.h"
#include "server/async/task.h"
#include "handlers/site.h"
#include "handlers/workloads.h"
#include "server/async/combine.h"

#include <stdatomic.h>

enum { PAGE = 50, LAST = 1000000 };

/* One more than a page holds tells whether there is another. */
static const statement USERS_FROM = {
    .name  = "users_from",
    .sql   = "select id, name, email from users order by id limit 51 offset $1",
    .reads = true, .columns = "itt",
};

static const statement USERS_COUNT = {
    .name  = "users_count",
    .sql   = "select count(*) from users",
    .reads = true, .columns = "i",
};

enum { COUNTED_FOR = 5000 };                 /* ms that a count is taken for true */

static _Atomic int64_t users_counted = -1;
static _Atomic uint64_t users_count_ends;    /* of uv_hrtime's clock */

/* Of many requests one is to count. */
static bool users_must_count(void)
{
    const uint64_t now = uv_hrtime();
    uint64_t ends = users_count_ends;
    return now >= ends && atomic_compare_exchange_strong(&users_count_ends, &ends, now + (uint64_t)COUNTED_FOR * 1000000);
}

static int64_t users_last_page(int64_t total) { return total > 0 ? (total + PAGE - 1) / PAGE : 1; }

static void users_write_link(buffer *b, const char *relation, int64_t number, const char *label)
{
    buffer_printf(b, "<a rel=\"%s\" href=\"/users?page=%lld\">%s</a> ", relation, (long long)number, label);
}

/* The first page, the last, and those around, the further apart the further they are from here. */
static void users_write_jumps(buffer *b, int64_t here, int64_t last)
{
    const int64_t pages[] = {
        1, here - 1000, here - 100, here - 10, here - 1, here, here + 1, here + 10, here + 100, here + 1000, last,
    };
    int64_t written = 0;
    for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++) {
        const int64_t page = pages[i];
        if (page <= written || page > last)
            continue;
        if (page > written + 1)
            buffer_text(b, TEXT("<span class=\"meta\">\xe2\x80\xa6</span> "));
        if (page == here)
            buffer_printf(b, "<b aria-current=\"page\">%lld</b> ", (long long)page);
        else
            buffer_printf(b, "<a href=\"/users?page=%lld\">%lld</a> ", (long long)page, (long long)page);
        written = page;
    }
}

/* total: -1 while nobody has counted. */
typedef struct users_page { request *req; rows found, counted; int64_t number, total; text html; } users_page;

static int users_render_html(void *arg)
{
    users_page *p = arg;
    const rows *r = &p->found;
    const int64_t number = p->number, last = users_last_page(p->total);
    buffer b;
    buffer_init(&b, request_arena(p->req));
    layout_begin(&b, TEXT("Users"));
    buffer_text(&b, TEXT("<h1>Users</h1>\n"));
    if (p->total >= 0)
        buffer_printf(&b, "<p class=\"meta\">%lld users on %lld pages</p>\n", (long long)p->total, (long long)last);
    if (r->count == 0)
        buffer_text(&b, TEXT("<p>There is nobody on this page.</p>\n"));
    buffer_printf(&b, "<ol class=\"users\" start=\"%lld\">\n", (long long)(number - 1) * PAGE + 1);
    for (int i = 0; i < r->count && i < PAGE; i++) {
        buffer_printf(&b, "<li><a href=\"/users/%lld\">", (long long)rows_int(r, i, 0));
        buffer_html(&b, rows_text(r, i, 1));
        buffer_text(&b, TEXT("</a> <span class=\"meta\">"));
        buffer_html(&b, rows_text(r, i, 2));
        buffer_text(&b, TEXT("</span></li>\n"));
    }
    buffer_text(&b, TEXT("</ol>\n<nav class=\"pages\" aria-label=\"Pages\">"));
    if (number > 1)
        users_write_link(&b, "prev", number - 1, "previous");
    if (r->count > PAGE)
        users_write_link(&b, "next", number + 1, "next");
    if (p->total >= 0) {
        buffer_text(&b, TEXT("<span class=\"jumps\">"));
        users_write_jumps(&b, number, last);
        buffer_text(&b, TEXT("</span>"));
    }
    buffer_text(&b, TEXT("</nav>\n"));
    layout_end(&b);
    p->html = buffer_all(&b);
    return 0;
}

/* About how many bytes that is. */
static size_t users_html_size(const rows *r)
{
    enum { EACH = 110, LINKS = 600 };
    return LAYOUT_SIZE + LINKS + EACH * (size_t)r->count;
}

static void users_write_address(buffer *b, const char *key, bool there, int64_t number)
{
    if (there)
        buffer_printf(b, ",\"%s\":\"/users?page=%lld\"", key, (long long)number);
    else
        buffer_printf(b, ",\"%s\":null", key);
}

static text users_as_json(request *req, const rows *r, int64_t number, int64_t total)
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
    if (total >= 0)
        buffer_printf(&b, ",\"total\":%lld", (long long)total);
    buffer_text(&b, TEXT("}"));
    return buffer_all(&b);
}

static async int users_read(users_page *p)
{
    promise *found = query(p->req, &p->found, &USERS_FROM, integer((p->number - 1) * PAGE));
    if (!users_must_count()) {
        p->total = users_counted;
        return await(found);
    }
    int outcomes[2];
    const int err = await(all_settled(outcomes, found, site_query(p->req, &p->counted, &USERS_COUNT, 0, NULL)));
    if (err || outcomes[0])
        return err ? err : outcomes[0];
    if (!outcomes[1])                        /* else the page is better without its total than not at all */
        users_counted = rows_int(&p->counted, 0, 0);
    p->total = users_counted;
    return 0;
}

async int users(request *req)
{
    users_page page = { .req = req, .number = 1 };
    int err = request_query_int(req, "page", &page.number);
    if (err || page.number < 1 || page.number > LAST)
        return respond_problem(req, 400, "page must be a whole number from 1 to %d.", LAST);

    err = users_read(&page);
    if (err)
        return err;

    if (request_prefers_json(req))
        return respond_json(req, 200, users_as_json(req, &page.found, page.number, page.total));
    err = await(site_render(req, (workload_run){ &USERS_PAGE, users_html_size(&page.found), users_render_html, &page }));
    return err ? err : respond_html(req, 200, page.html);
}
