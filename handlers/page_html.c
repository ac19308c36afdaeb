/* page_html.c - see page_html.h. */
#include "page_html.h"
#include "db/packed.h"
#include "layout.h"
#include "markdown.h"

static void write_form(buffer *b, int64_t id)
{
    buffer_text(b, TEXT("<form class=\"new\" method=\"post\" action=\"/users/"));
    buffer_int(b, id);
    buffer_text(b, TEXT("/posts\">\n<h2>Write a post</h2>\n"
                        "<label>Title <input name=\"title\" required maxlength=\"200\"></label>\n"
                        "<label>Text, in Markdown <textarea name=\"body\" required rows=\"5\"></textarea></label>\n"
                        "<button>Post it</button>\n</form>\n"));
}

void page_html(buffer *b, const rows *user, const rows *posts)
{
    layout_begin(b, rows_text(user, 0, 1));
    buffer_text(b, TEXT("<h1>"));
    buffer_html(b, rows_text(user, 0, 1));
    buffer_text(b, TEXT("</h1>\n<p class=\"meta\">"));
    buffer_html(b, rows_text(user, 0, 2));
    buffer_text(b, TEXT(" &middot; here since "));
    layout_date(b, rows_int(user, 0, 3));
    buffer_text(b, TEXT("</p>\n"));
    for (int i = 0; i < posts->count; i++) {
        buffer_text(b, TEXT("<article id=\"post-"));
        buffer_int(b, rows_int(posts, i, 0));
        buffer_text(b, TEXT("\">\n<h2>"));
        buffer_html(b, rows_text(posts, i, 1));
        buffer_text(b, TEXT("</h2>\n<p class=\"meta\">"));
        layout_date(b, rows_int(posts, i, 3));
        buffer_text(b, TEXT("</p>\n"));
        markdown_html(b, rows_text(posts, i, 2));
        buffer_text(b, TEXT("</article>\n"));
    }
    write_form(b, rows_int(user, 0, 0));
    layout_end(b);
}

void page_html_pack(buffer *b, const rows *user, const rows *posts)
{
    rows_pack(b, user, "itti");
    rows_pack(b, posts, "itti");
}

static int write_packed(text in, buffer *out)
{
    rows user, posts;
    int err = rows_unpack(&user, &in, out->arena);
    if (!err)
        err = rows_unpack(&posts, &in, out->arena);
    if (!err)
        page_html(out, &user, &posts);
    return err;
}

const process_job JOB_PAGE = { "page", write_packed };
