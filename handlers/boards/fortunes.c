/* fortunes.c - GET /fortunes: all rows of the table fortune and one more, in order of their messages, as a page.
 *
 * The page is bare, without the layout of the site's others: the benchmark compares it with its own. */
#include "boards.h"
#include "handlers/site.h"
#include "server/async/task.h"
#include "server/base/buffer.h"

#include <stdlib.h>

static const statement FORTUNES = {
    .name  = "fortunes",
    .sql   = "select id, message from fortune",
    .reads = true, .columns = "it",
};

typedef struct fortune { int64_t id; text message; } fortune;

/* By their bytes, which for UTF-8 is by code points. */
static int fortune_compare(const void *one, const void *other)
{
    const text a = ((const fortune *)one)->message, b = ((const fortune *)other)->message;
    const int order = memcmp(a.at, b.at, a.length < b.length ? a.length : b.length);
    return order ? order : (a.length > b.length) - (a.length < b.length);
}

static text fortunes_as_html(request *req, const fortune fortunes[], int count)
{
    buffer b;
    buffer_init(&b, request_arena(req));
    buffer_text(&b, TEXT("<!DOCTYPE html><html><head><title>Fortunes</title></head><body><table>"
                         "<tr><th>id</th><th>message</th></tr>"));
    for (int i = 0; i < count; i++) {
        buffer_text(&b, TEXT("<tr><td>"));
        buffer_int(&b, fortunes[i].id);
        buffer_text(&b, TEXT("</td><td>"));
        buffer_html(&b, fortunes[i].message);
        buffer_text(&b, TEXT("</td></tr>"));
    }
    buffer_text(&b, TEXT("</table></body></html>"));
    return buffer_all(&b);
}

async int board_fortunes(request *req)
{
    rows found;
    const int err = await(site_query(req, &found, &FORTUNES, 0, NULL));
    if (err)
        return board_failed(req, err);

    stopwatch_start(&site_rendering(req)->watch);
    const int count = found.count + 1;
    fortune *fortunes = request_alloc(req, (size_t)count * sizeof *fortunes);
    fortunes[0] = (fortune){ 0, TEXT("Additional fortune added at request time.") };
    for (int i = 1; i < count; i++)
        fortunes[i] = (fortune){ rows_int(&found, i - 1, 0), rows_text(&found, i - 1, 1) };
    qsort(fortunes, (size_t)count, sizeof *fortunes, fortune_compare);
    const text html = fortunes_as_html(req, fortunes, count);
    stopwatch_stop(&site_rendering(req)->watch);
    return respond(req, 200, "text/html; charset=utf-8", html);
}
