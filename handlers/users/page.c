/* page.c - see page.h. */
#include "page.h"
#include "handlers/jobs.h"
#include "server/async/chain.h"
#include "server/base/buffer.h"
#include "handlers/workloads.h"

const statement USER_BY_ID = {
    .name  = "user_by_id",
    .sql   = "select id, name, email, created_at from users where id = $1",
    .reads = true, .columns = "itti",
};

const statement POSTS_BY_USER = {
    .name  = "posts_by_user",
    .sql   = "select id, title, body, created_at from posts where user_id = $1 order by id desc limit 21 offset $2",
    .reads = true, .columns = "itti",
};

enum { LAST_PAGE = 1000000 };

int page_begin(page *page, request *req)
{
    int64_t number = 1;
    *page = (struct page){ .req = req };
    const int err = request_param_int(req, "id", &page->id);
    if (err)
        return err;
    if (request_query_int(req, "page", &number) || number < 1 || number > LAST_PAGE)
        return respond_problem(req, 400, "page must be a whole number from 1 to %d.", LAST_PAGE);
    page->from = (number - 1) * POSTS_OF_A_PAGE;
    return 0;
}

static int page_render_html(void *arg)
{
    page *p = arg;
    buffer b;
    buffer_init(&b, request_arena(p->req));
    page_html(&b, p->from, &p->user, &p->posts);
    p->body = buffer_all(&b);
    return 0;
}

static promise *page_stop_watch(void *arg)
{
    page *p = arg;
    stopwatch_stop(&site_rendering(p->req)->watch);
    return promise_settled(0);
}

/* To the server all of it is rendering: the way there, the wait for a worker, and the way back. */
static promise *page_render_in_process(page *p)
{
    arena *a = request_arena(p->req);
    rendering *r = site_rendering(p->req);
    buffer b;
    r->place = "process";
    stopwatch_start(&r->watch);
    buffer_init(&b, a);
    page_html_pack(&b, p->from, &p->user, &p->posts);
    return finally(in_process(&JOB_PAGE, buffer_all(&b), 0, a, &p->body), page_stop_watch, p);
}

static void json_write_number(buffer *b, text key, int64_t n)
{
    buffer_text(b, key);
    buffer_int(b, n);
}

static void json_write_string(buffer *b, text key, text t)
{
    buffer_text(b, key);
    buffer_json(b, t);
}

static void json_write_address(buffer *b, text key, const page *p, bool there, int64_t from)
{
    buffer_text(b, key);
    buffer_text(b, there ? TEXT("\"") : TEXT("null"));
    if (!there)
        return;
    page_html_address(b, p->id, from);
    buffer_text(b, TEXT("\""));
}

static void page_render_json(page *p)
{
    stopwatch *watch = &site_rendering(p->req)->watch;
    buffer b;

    stopwatch_start(watch);
    buffer_init(&b, request_arena(p->req));
    json_write_number(&b, TEXT("{\"user\":{\"id\":"), rows_int(&p->user, 0, 0));
    json_write_string(&b, TEXT(",\"name\":"), rows_text(&p->user, 0, 1));
    json_write_string(&b, TEXT(",\"email\":"), rows_text(&p->user, 0, 2));
    json_write_number(&b, TEXT(",\"created_at\":"), rows_int(&p->user, 0, 3));
    buffer_text(&b, TEXT("},\"posts\":["));
    for (int i = 0; i < p->posts.count && i < POSTS_OF_A_PAGE; i++) {
        json_write_number(&b, i ? TEXT(",{\"id\":") : TEXT("{\"id\":"), rows_int(&p->posts, i, 0));
        json_write_string(&b, TEXT(",\"title\":"), rows_text(&p->posts, i, 1));
        json_write_string(&b, TEXT(",\"body\":"), rows_text(&p->posts, i, 2));
        json_write_number(&b, TEXT(",\"created_at\":"), rows_int(&p->posts, i, 3));
        buffer_text(&b, TEXT("}"));
    }
    json_write_address(&b, TEXT("],\"previous\":"), p, p->from > 0, p->from - POSTS_OF_A_PAGE);
    json_write_address(&b, TEXT(",\"next\":"), p, p->posts.count > POSTS_OF_A_PAGE, p->from + POSTS_OF_A_PAGE);
    buffer_text(&b, TEXT("}"));
    p->body = buffer_all(&b);
    stopwatch_stop(watch);
}

static promise *page_render_as_html(page *p, workload_choice choice)
{
    return site_render(p->req, (workload_run){ &USER_PAGE, page_html_size(&p->posts), page_render_html, p, .choice = choice });
}

/* Where it was asked to be rendered; -1: nowhere that there is. */
enum { AS_CONFIGURED, INLINE, IN_THREAD, IN_PROCESS };

static int page_render_place(request *req)
{
    static const text PLACES[] = { [INLINE] = { "inline", 6 }, [IN_THREAD] = { "thread", 6 }, [IN_PROCESS] = { "process", 7 } };
    const text asked = request_query(req, "render");
    if (asked.length == 0)
        return AS_CONFIGURED;
    for (int i = INLINE; i <= IN_PROCESS; i++)
        if (text_equal(asked, PLACES[i]))
            return i;
    return -1;
}

promise *render(page *page)
{
    const int place = page_render_place(page->req);
    if (place < 0)
        return promise_settled(respond_problem(page->req, 400, "A page is rendered inline, in a thread or in a process: "
                                                               "?render=inline, ?render=thread, ?render=process."));
    if ((place == INLINE || place == IN_PROCESS) && !site_has_gallery())
        return promise_settled(respond_problem(page->req, 403, "Only ?render=thread may be asked for here: "
                                                               "[patterns] enabled is off."));
    page->as_json = request_prefers_json(page->req);
    if (page->as_json) {
        page_render_json(page);
        return promise_settled(0);
    }
    switch (place) {
    case INLINE:     return page_render_as_html(page, WORKLOAD_ON_LOOP);
    case IN_THREAD:  return page_render_as_html(page, WORKLOAD_IN_POOL);
    case IN_PROCESS: return page_render_in_process(page);
    default:         return page_render_as_html(page, WORKLOAD_AUTO);
    }
}

int respond_page(page *page)
{
    return (page->as_json ? respond_json : respond_html)(page->req, 200, page->body);
}
