/* export.c - GET /export.ndjson and GET /users/:id/posts.ndjson: all posts, or all of a user, one a line as JSON.
 *
 * As POST /import takes them. They are read by pages (db.h: Many rows), and the next page when the client has taken the
 * one before it: so an export takes as much memory as a page does, and while a slow client is waited for it holds
 * nothing of the database. */
#include "handlers/handlers.h"
#include "page.h"
#include "post.h"
#include "server/async/task.h"
#include "handlers/site.h"

enum { POSTS = 20 };                         /* of a page: as many as a user's page has */

static const statement POSTS_FROM = {
    .name  = "posts_from",
    .sql   = "select id, user_id, title, body, created_at from posts where id > $1 order by id limit 20",
    .reads = true, .columns = "iitti",
};

static const statement POSTS_BY_USER_FROM = {
    .name  = "posts_by_user_from",
    .sql   = "select id, user_id, title, body, created_at from posts where user_id = $2 and id > $1 order by id limit 20",
    .reads = true, .columns = "iitti",
};

typedef struct exporting {
    request         *req;
    const statement *posts;
    value            from[2];                /* the id that the page before ended with; the user, if it is one's */
    int              parameters;
    arena            page;                   /* its rows and lines */
    text             lines;
    bool             last;                   /* no page follows it */
} exporting;

static async int export_read_page(exporting *e)
{
    rows found;
    buffer b;

    arena_init(&e->page, NULL, 0);
    const int err = await(site_query_in(e->req, &e->page, &found, e->posts, e->parameters, e->from));
    if (err)
        return err;
    buffer_init(&b, &e->page);
    for (int i = 0; i < found.count; i++) {
        const post p = { rows_text(&found, i, 2), rows_text(&found, i, 3) };
        post_write_json(&b, rows_int(&found, i, 0), rows_int(&found, i, 1), &p, rows_int(&found, i, 4));
        buffer_text(&b, TEXT("\n"));
    }
    e->lines = buffer_all(&b);
    e->last = found.count < POSTS;
    if (!e->last)
        e->from[0] = integer(rows_int(&found, POSTS - 1, 0));
    return 0;
}

/* Between a page and the next it has nothing but what the client has not taken yet. */
static async int export_send(exporting *e)
{
    for (;;) {
        promise *taken = respond_piece(e->req, e->lines);
        arena_done(&e->page);                /* it has been copied, and a slow reader may take a while */
        int err = await(taken);
        if (!err && e->last)
            break;
        if (!err)
            err = export_read_page(e);
        if (err)
            return err;
    }
    respond_end(e->req);
    return 0;
}

/* The first page is there before the answer begins: what fails by then is answered as any error is. */
static async int export_begin(exporting *e, const char *name)
{
    const int err = export_read_page(e);
    if (err)
        return err;
    respond_header(e->req, "Content-Disposition", "attachment; filename=\"%s.ndjson\"", name);
    return respond_stream(e->req, 200, "application/x-ndjson");
}

static async int export_all(exporting *e, const char *name)
{
    int err = export_begin(e, name);
    if (!err && !text_equal(request_method(e->req), TEXT("HEAD")))
        err = export_send(e);
    arena_done(&e->page);
    return err;
}

async int export_posts(request *req)
{
    exporting e = { .req = req, .posts = &POSTS_FROM, .from = { integer(INT64_MIN) }, .parameters = 1 };
    return export_all(&e, "posts");
}

async int export_user(request *req)
{
    int64_t id;
    rows user;
    int err = request_param_int(req, "id", &id);
    if (!err)
        err = await(query(req, &user, &USER_BY_ID, integer(id)));
    if (err)
        return err;
    if (user.count == 0)
        return E_NOT_FOUND;
    exporting e = { .req = req, .posts = &POSTS_BY_USER_FROM, .from = { integer(INT64_MIN), integer(id) }, .parameters = 2 };
    return export_all(&e, arena_printf(request_arena(req), "posts-of-%lld", (long long)id));
}
