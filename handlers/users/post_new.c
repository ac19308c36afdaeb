/* post_new.c - POST /users/:id/posts: a new post, from a form or as JSON.
 *
 * It is published in the transaction that stores it: on the topic users/ID, as the event "post", as GET /posts/:id answers. */
#include "db/outbox.h"
#include "handlers/handlers.h"
#include "post.h"
#include "server/async/task.h"
#include "server/http/message/head.h"
#include "server/http/message/url.h"
#include "handlers/site.h"

#include <time.h>

/* Stores nothing, and returns no row, when there is no such user.
 *
 * SQLite makes a table for what is returned, and an insert of what is selected keeps a copy of each page that it changes, to
 * undo it by: together two thirds of what the statement costs. So there a row without a user is ignored; and one that is
 * ignored for another reason has no id, which is an error. */
static const statement POST_NEW = {
    .name = "post_new",
    .sql  = "insert into posts (user_id, title, body, created_at)"
            " select id, $2, $3, $4 from users where id = $1"
            " returning id, set_config('tenk.key', cast(id as text), true)",
    .columns = "it",
    .sqlite  = "insert or ignore into posts (user_id, title, body, created_at)"
               " values ((select id from users where id = $1), $2, $3, $4);"
               "select iif(changes() = 1, last_insert_rowid(), null),"
               " set_config('tenk.key', iif(changes() = 1, cast(last_insert_rowid() as text), ''), true)"
               " where changes() = 1 or exists (select 1 from users where id = $1)",
};

static int post_from_form(request *req, post *p)
{
    const text body = request_body(req);
    arena *a = request_arena(req);
    if (!form_find(a, body, "title", &p->title) || !form_find(a, body, "body", &p->body))
        return respond_problem(req, 422, "A post has a title and a body: one of the fields is missing.");
    return 0;
}

static void free_json(void *arg) { json_decref(arg); }

static int post_from_json(request *req, post *p)
{
    char why[POST_WHY];
    json_t *object;
    int err = post_parse(request_body(req), &object, why);
    if (!err) {
        arena_defer(request_arena(req), free_json, object);     /* the texts are views into it */
        err = post_of(object, p, why);
    }
    return err ? respond_problem(req, status_of(err), "%s", why) : 0;
}

static int respond_stored(request *req, bool as_json, int64_t user, int64_t id, int64_t now, const post *p)
{
    if (!as_json) {
        respond_header(req, "Location", "/users/%lld#post-%lld", (long long)user, (long long)id);
        return respond_nothing(req, 303);
    }
    respond_header(req, "Location", "/posts/%lld", (long long)id);
    return respond(req, 201, "application/json", post_json(request_arena(req), id, user, p, now));
}

static promise *store(request *req, int64_t user, const post *p, int64_t now, rows *stored)
{
    arena *a = request_arena(req);
    value message[OUTBOX_VALUES];
    text before, after;
    post_json_around_id(a, user, p, now, &before, &after);
    const text topic = text_of(arena_printf(a, "users/%lld", (long long)user));
    const value own[] = { integer(user), string(p->title), string(p->body), integer(now) };
    const db_step steps[] = {
        { &POST_NEW, sizeof own / sizeof *own, own, stored },
        outbox_step_with_key(message, topic, TEXT("post"), before, after),
    };
    return site_publish(req, steps, sizeof steps / sizeof *steps);
}

async int post_new(request *req)
{
    const text type = request_type(req);
    const bool as_json = text_is(type, "application/json");
    const int64_t now = (int64_t)time(NULL);
    int64_t user;
    post post = { 0 };
    rows stored;

    int err = request_param_int(req, "id", &user);
    if (err)
        return err;
    if (!as_json && !text_is(type, "application/x-www-form-urlencoded"))
        return respond_problem(req, 415, "A post comes as application/json or application/x-www-form-urlencoded.");
    err = (as_json ? post_from_json : post_from_form)(req, &post);
    if (err)
        return err;
    char why[POST_WHY];
    err = post_check(&post, why);
    if (err)
        return respond_problem(req, status_of(err), "%s", why);
    err = await(store(req, user, &post, now, &stored));
    if (err)
        return err;
    if (stored.count == 0)
        return E_NOT_FOUND;
    return respond_stored(req, as_json, user, rows_int(&stored, 0, 0), now, &post);
}
