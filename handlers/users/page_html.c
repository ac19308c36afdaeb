/* page_html.c - see page_html.h. */
#include "page_html.h"
#include "handlers/jobs.h"
#include "db/row_codec.h"
#include "handlers/layout.h"
#include "handlers/markdown.h"

#include <uv.h>

static void page_write_form(buffer *b, int64_t id)
{
    buffer_text(b, TEXT("<form class=\"new\" method=\"post\" action=\"/users/"));
    buffer_int(b, id);
    buffer_text(b, TEXT("/posts\">\n<h2>Write a post</h2>\n"
                        "<label>Title <input name=\"title\" required maxlength=\"200\"></label>\n"
                        "<label>Text, in Markdown <textarea name=\"body\" required rows=\"5\"></textarea></label>\n"
                        "<button>Post it</button>\n</form>\n"));
}

void page_html_address(buffer *b, int64_t user, int64_t from)
{
    buffer_text(b, TEXT("/users/"));
    buffer_int(b, user);
    if (from > 0) {
        buffer_text(b, TEXT("?page="));
        buffer_int(b, from / POSTS_OF_A_PAGE + 1);
    }
}

static void page_write_link(buffer *b, const char *begin, int64_t user, int64_t from, const char *label)
{
    buffer_text(b, text_of(begin));
    page_html_address(b, user, from);
    buffer_text(b, text_of(label));
}

static void page_write_links(buffer *b, int64_t user, int64_t from, bool more)
{
    if (from == 0 && !more)
        return;
    buffer_text(b, TEXT("<nav class=\"pages\">"));
    if (from > 0)
        page_write_link(b, "<a rel=\"prev\" href=\"", user, from - POSTS_OF_A_PAGE, "\">newer posts</a> ");
    if (more)
        page_write_link(b, "<a rel=\"next\" href=\"", user, from + POSTS_OF_A_PAGE, "\">older posts</a> ");
    buffer_text(b, TEXT("</nav>\n"));
}

size_t page_html_post_size(text title, text body)
{
    enum { AROUND = 160 };                   /* its date, its links, and some tags */
    return AROUND + title.length + body.length;
}

size_t page_html_size(const rows *posts)
{
    enum { FORM = 500 };
    size_t size = LAYOUT_SIZE + FORM;
    for (int i = 0; i < posts->count && i < POSTS_OF_A_PAGE; i++)
        size += page_html_post_size(rows_text(posts, i, 1), rows_text(posts, i, 2));
    return size;
}

void page_html_post(buffer *b, int64_t id, text title, text body, int64_t created_at)
{
    buffer_text(b, TEXT("<article id=\"post-"));
    buffer_int(b, id);
    buffer_text(b, TEXT("\">\n<h2>"));
    buffer_html(b, title);
    buffer_text(b, TEXT("</h2>\n<p class=\"meta\"><a href=\"/posts/"));
    buffer_int(b, id);
    buffer_text(b, TEXT("\">"));
    layout_date(b, created_at);
    buffer_text(b, TEXT("</a></p>\n"));
    markdown_html(b, body);
    buffer_text(b, TEXT("</article>\n"));
}

/* What is posted from now on appears at the top of the first page: static/live.js puts it behind this element. */
static const char LIVE[] = "<script src=\"/static/live.js\" defer></script>\n";

static void page_write_live(buffer *b, int64_t id)
{
    buffer_text(b, TEXT("<p class=\"live\" role=\"status\" data-user=\""));
    buffer_int(b, id);
    buffer_text(b, TEXT("\"></p>\n"));
}

void page_html(buffer *b, int64_t from, const rows *user, const rows *posts)
{
    const int64_t id = rows_int(user, 0, 0);
    layout_begin_with(b, rows_text(user, 0, 1), from == 0 ? LIVE : "");
    buffer_text(b, TEXT("<h1>"));
    buffer_html(b, rows_text(user, 0, 1));
    buffer_text(b, TEXT("</h1>\n<p class=\"meta\">"));
    buffer_html(b, rows_text(user, 0, 2));
    buffer_text(b, TEXT(" &middot; here since "));
    layout_date(b, rows_int(user, 0, 3));
    buffer_text(b, TEXT("</p>\n"));
    if (from == 0)
        page_write_live(b, id);
    for (int i = 0; i < posts->count && i < POSTS_OF_A_PAGE; i++)
        page_html_post(b, rows_int(posts, i, 0), rows_text(posts, i, 1), rows_text(posts, i, 2), rows_int(posts, i, 3));
    page_write_links(b, id, from, posts->count > POSTS_OF_A_PAGE);
    page_write_form(b, id);
    layout_end(b);
}

void page_html_pack(buffer *b, int64_t from, const rows *user, const rows *posts)
{
    buffer_text(b, (text){ (const char *)&from, sizeof from });
    rows_pack(b, user, "itti");
    rows_pack(b, posts, "itti");
}

static int page_job_run(text in, buffer *out)
{
    rows user, posts;
    int64_t from;
    if (in.length < sizeof from)
        return UV_EINVAL;
    memcpy(&from, in.at, sizeof from);
    in = (text){ in.at + sizeof from, in.length - sizeof from };
    int err = rows_unpack(&user, &in, out->arena);
    if (!err)
        err = rows_unpack(&posts, &in, out->arena);
    if (!err)
        page_html(out, from, &user, &posts);
    return err;
}

const process_job JOB_PAGE = { "page", page_job_run };
