/* posts.c - POST /users/:id/posts: a new post, from a form or as JSON. */
#include "handlers.h"
#include "server/async/task.h"
#include "server/buffer.h"
#include "server/http/head.h"
#include "server/http/url.h"
#include "site.h"

#include <ctype.h>
#include <jansson.h>
#include <time.h>

enum { LONGEST_TITLE = 200, LONGEST_BODY = 65536, DEEPEST = 32 };     /* bytes, bytes, brackets */

/* Stores nothing, and returns no row, when there is no such user. */
static const statement POST_NEW = {
    .name = "post_new",
    .sql  = "insert into posts (user_id, title, body, created_at)"
            " select id, $2, $3, $4 from users where id = $1 returning id",
};

typedef struct post { text title, body; } post;

static text media_type_of(const request *req)
{
    text type = request_header(req, "content-type");
    const char *semicolon = memchr(type.at, ';', type.length);
    return text_trim((text){ type.at, semicolon ? (size_t)(semicolon - type.at) : type.length });
}

static bool is_blank(text t)
{
    size_t i = 0;
    while (i < t.length && isspace((unsigned char)t.at[i]))
        i++;
    return i == t.length;
}

static bool is_utf8(text t)
{
    json_t *checked = json_stringn(t.at, t.length);          /* NULL if it is not */
    json_decref(checked);
    return checked != NULL && !memchr(t.at, '\0', t.length);
}

static int from_form(request *req, post *p)
{
    const text body = request_body(req);
    arena *a = request_arena(req);
    if (!form_find(a, body, "title", &p->title) || !form_find(a, body, "body", &p->body))
        return respond_problem(req, 422, "A post has a title and a body: one of the fields is missing.");
    return 0;
}

/* jansson follows nested brackets by recursion, farther than a task's stack reaches. */
static bool is_deep(text t)
{
    int depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < t.length; i++) {
        const char c = t.at[i];
        if (c == '"')
            in_string = !in_string;
        else if (in_string)
            i += c == '\\';                  /* what follows it is no quote */
        else if (c == '[' || c == '{')
            depth++;
        else if (c == ']' || c == '}')
            depth--;
        if (depth > DEEPEST)
            return true;
    }
    return false;
}

static void forget(void *arg) { json_decref(arg); }

static int from_json(request *req, post *p)
{
    const text body = request_body(req);
    json_error_t wrong;
    if (is_deep(body))
        return respond_problem(req, 400, "The body is nested more than %d levels deep.", DEEPEST);
    json_t *object = json_loadb(body.at, body.length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &wrong);
    if (!object)
        return respond_problem(req, 400, "The body is not JSON: line %d, column %d: %s.", wrong.line, wrong.column,
                               wrong.text);
    arena_defer(request_arena(req), forget, object);         /* the texts are views into it */
    json_t *title = json_object_get(object, "title"), *text_body = json_object_get(object, "body");
    if (!json_is_string(title) || !json_is_string(text_body))
        return respond_problem(req, 422, "A post is an object with the strings title and body.");
    p->title = (text){ json_string_value(title), json_string_length(title) };
    p->body = (text){ json_string_value(text_body), json_string_length(text_body) };
    return 0;
}

/* 0 when it may be stored; else the request has been answered. */
static int check(request *req, const post *p)
{
    if (is_blank(p->title) || is_blank(p->body))
        return respond_problem(req, 422, "The %s must not be empty.", is_blank(p->title) ? "title" : "body");
    if (p->title.length > LONGEST_TITLE)
        return respond_problem(req, 422, "The title is longer than %d bytes.", LONGEST_TITLE);
    if (p->body.length > LONGEST_BODY)
        return respond_problem(req, 422, "The body is longer than %d bytes.", LONGEST_BODY);
    if (!is_utf8(p->title) || !is_utf8(p->body))
        return respond_problem(req, 422, "The title and the body must be UTF-8 text.");
    return 0;
}

static int respond_stored(request *req, bool as_json, int64_t user, int64_t id, int64_t now, const post *p)
{
    respond_header(req, "Location", "/users/%lld#post-%lld", (long long)user, (long long)id);
    if (!as_json)
        return respond_nothing(req, 303);
    buffer b;
    buffer_init(&b, request_arena(req));
    buffer_printf(&b, "{\"id\":%lld,\"user_id\":%lld,\"title\":", (long long)id, (long long)user);
    buffer_json(&b, p->title);
    buffer_text(&b, TEXT(",\"body\":"));
    buffer_json(&b, p->body);
    buffer_printf(&b, ",\"created_at\":%lld}", (long long)now);
    return respond(req, 201, "application/json", buffer_all(&b));
}

async int post_new(request *req)
{
    const text type = media_type_of(req);
    const bool as_json = text_is(type, "application/json");
    const int64_t now = (int64_t)time(NULL);
    int64_t user;
    post post;
    rows stored;

    int err = request_param_int(req, "id", &user);
    if (err)
        return err;
    if (!as_json && !text_is(type, "application/x-www-form-urlencoded"))
        return respond_problem(req, 415, "A post comes as application/json or application/x-www-form-urlencoded.");
    err = (as_json ? from_json : from_form)(req, &post);
    if (!err)
        err = check(req, &post);
    if (err)
        return err;
    err = await(query(req, &stored, &POST_NEW, integer(user), string(post.title), string(post.body), integer(now)));
    if (err)
        return err;
    if (stored.count == 0)
        return E_NOT_FOUND;
    return respond_stored(req, as_json, user, rows_int(&stored, 0, 0), now, &post);
}
