/* callbacks.c - a file, then the database, then another server, then a page: callbacks, three levels deep. */
#include "handlers/users/page.h"
#include "pattern.h"
#include "server/executor/file.h"
#include "server/http/client/client.h"

#include <stdlib.h>

SHOW_FROM(callbacks)
struct visit {
    run        *r;
    text        file;
    rows        user;
    http_answer greeting;
    void      (*done)(int err, void *arg);
    void       *arg;
};

static int make_page(void *arg)                 /* in a thread */
{
    (void)arg;
    spin_for(5);
    return 0;
}

static void on_rendered(int err, void *arg)
{
    struct visit *v = arg;
    v->done(err, v->arg);
}

static void on_greeted(int err, void *arg)
{
    struct visit *v = arg;
    if (!err && v->greeting.status != 200)
        err = UV_EPROTO;
    if (err) {                               /* forget it once, and the client waits for ever */
        v->done(err, v->arg);
        return;
    }
    when_settled(step(v->r, "render", in_thread(make_page, v)), on_rendered, v);
}

static void on_found(int err, void *arg)
{
    struct visit *v = arg;
    if (!err && v->user.count == 0)
        err = E_NOT_FOUND;
    if (err) {
        v->done(err, v->arg);
        return;
    }
    arena *a = request_arena(v->r->req);
    const char *address = own_address(v->r, "/json");
    when_settled(step(v->r, "HTTP", http_get(a, address, &v->greeting)), on_greeted, v);
}

static void on_read(int err, void *arg)
{
    struct visit *v = arg;
    if (err) {
        v->done(err, v->arg);
        return;
    }
    const int64_t id = 1 + atoi(v->file.at) % 1000;          /* the process's number is the first word */
    promise *p = query(v->r->req, &v->user, &USER_BY_ID, integer(id));
    when_settled(step(v->r, "database", p), on_found, v);
}

static void run_callbacks(run *r, void (*done)(int err, void *arg), void *arg)
{
    struct visit *v = run_alloc(r, sizeof *v);
    v->r = r;
    v->done = done;
    v->arg = arg;
    arena *a = request_arena(r->req);
    when_settled(step(r, "file", file_read("/proc/self/stat", a, 4096, &v->file)), on_read, v);
}
SHOW_TO(callbacks)

const pattern PATTERN_CALLBACKS = {
    .name = "callbacks", .title = "Callbacks, three levels deep", .group = GROUP_WRITTEN, .callback = run_callbacks,
    SOURCE_OF(callbacks),
    .shows = "A file says which user, the database who that is, another server (this one, over its own address) greets them,"
             " and a thread renders. Every arrow between the steps is a function of its own, what they share lives on the"
             " heap, and each of them must get the errors right. Read it from the bottom up.",
};
