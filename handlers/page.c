/* page.c - see page.h. */
#include "page.h"
#include "layout.h"
#include "markdown.h"
#include "server/async/threads.h"
#include "server/buffer.h"

const statement USER_BY_ID = {
    .name  = "user_by_id",
    .sql   = "select id, name, email, created_at from users where id = $1",
    .reads = true,
};

const statement POSTS_BY_USER = {
    .name  = "posts_by_user",
    .sql   = "select id, title, body, created_at from posts where user_id = $1 order by id desc limit 20",
    .reads = true,
};

static void write_form(buffer *b, int64_t id)
{
    buffer_text(b, TEXT("<form class=\"new\" method=\"post\" action=\"/users/"));
    buffer_int(b, id);
    buffer_text(b, TEXT("/posts\">\n<h2>Write a post</h2>\n"
                        "<label>Title <input name=\"title\" required maxlength=\"200\"></label>\n"
                        "<label>Text, in Markdown <textarea name=\"body\" required rows=\"5\"></textarea></label>\n"
                        "<button>Post it</button>\n</form>\n"));
}

static int render_html(void *arg)
{
    page *p = arg;
    stopwatch *watch = site_rendering(p->req);
    buffer b;

    stopwatch_start(watch);
    buffer_init(&b, request_arena(p->req));
    layout_begin(&b, rows_text(&p->user, 0, 1));
    buffer_text(&b, TEXT("<h1>"));
    buffer_html(&b, rows_text(&p->user, 0, 1));
    buffer_text(&b, TEXT("</h1>\n<p class=\"meta\">"));
    buffer_html(&b, rows_text(&p->user, 0, 2));
    buffer_text(&b, TEXT(" &middot; here since "));
    layout_date(&b, rows_int(&p->user, 0, 3));
    buffer_text(&b, TEXT("</p>\n"));
    for (int i = 0; i < p->posts.count; i++) {
        buffer_text(&b, TEXT("<article id=\"post-"));
        buffer_int(&b, rows_int(&p->posts, i, 0));
        buffer_text(&b, TEXT("\">\n<h2>"));
        buffer_html(&b, rows_text(&p->posts, i, 1));
        buffer_text(&b, TEXT("</h2>\n<p class=\"meta\">"));
        layout_date(&b, rows_int(&p->posts, i, 3));
        buffer_text(&b, TEXT("</p>\n"));
        markdown_html(&b, rows_text(&p->posts, i, 2));
        buffer_text(&b, TEXT("</article>\n"));
    }
    write_form(&b, p->id);
    layout_end(&b);
    p->body = buffer_all(&b);
    stopwatch_stop(watch);
    return 0;
}

static void write_number(buffer *b, const char *key, int64_t n)
{
    buffer_text(b, text_of(key));
    buffer_int(b, n);
}

static void write_string(buffer *b, const char *key, text t)
{
    buffer_text(b, text_of(key));
    buffer_json(b, t);
}

static void render_json(page *p)
{
    stopwatch *watch = site_rendering(p->req);
    buffer b;

    stopwatch_start(watch);
    buffer_init(&b, request_arena(p->req));
    write_number(&b, "{\"user\":{\"id\":", rows_int(&p->user, 0, 0));
    write_string(&b, ",\"name\":", rows_text(&p->user, 0, 1));
    write_string(&b, ",\"email\":", rows_text(&p->user, 0, 2));
    write_number(&b, ",\"created_at\":", rows_int(&p->user, 0, 3));
    buffer_text(&b, TEXT("},\"posts\":["));
    for (int i = 0; i < p->posts.count; i++) {
        write_number(&b, i ? ",{\"id\":" : "{\"id\":", rows_int(&p->posts, i, 0));
        write_string(&b, ",\"title\":", rows_text(&p->posts, i, 1));
        write_string(&b, ",\"body\":", rows_text(&p->posts, i, 2));
        write_number(&b, ",\"created_at\":", rows_int(&p->posts, i, 3));
        buffer_text(&b, TEXT("}"));
    }
    buffer_text(&b, TEXT("]}"));
    p->body = buffer_all(&b);
    stopwatch_stop(watch);
}

promise *render(page *page)
{
    const text where = request_query(page->req, "render");
    const bool here = text_equal(where, TEXT("inline"));

    if (!here && where.length > 0 && !text_equal(where, TEXT("thread")))
        return promise_settled(respond_problem(page->req, 400, "A page is rendered inline or in a thread: "
                                                               "?render=inline, ?render=thread."));
    page->as_json = request_prefers_json(page->req);
    if (page->as_json)
        render_json(page);
    else if (here)
        render_html(page);
    else
        return in_thread(render_html, page);
    return promise_settled(0);
}

int respond_page(page *page)
{
    return (page->as_json ? respond_json : respond_html)(page->req, 200, page->body);
}
