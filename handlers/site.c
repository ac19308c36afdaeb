/* site.c - see site.h. */
#include "site.h"
#include "mail.h"
#include "replica.h"
#include "db/outbox.h"
#include "server/async/chain.h"
#include "server/async/scope.h"
#include "server/executor/executor.h"
#include "server/executor/process/process_pool.h"
#include "server/async/task.h"
#include "server/async/timing.h"
#include "server/base/net/address.h"
#include "server/base/log.h"
#include "server/base/observe/recorder.h"
#include "server/base/overload/refusal.h"
#include "server/http/conditions.h"
#include "server/http/files.h"
#include "server/topic/topic.h"

#include <assert.h>
#include <stdio.h>

static int                     static_folder = -1;
static bool                    on_postgres, has_boards, has_admin;
static bool                    has_gallery = true;           /* as in a worker process: pages are asked of it only there */
static char                    own_address[ADDRESS_TEXT];
static outbox                 *published;
static _Thread_local struct db *here;        /* this worker's connections */

struct timing { stopwatch db; rendering render; workload_run run; };

static struct timing *timing(request *req)
{
    void **context = request_context(req);
    if (!*context)
        *context = request_alloc(req, sizeof(struct timing));
    return *context;
}

promise *site_query_in(request *req, arena *a, rows *out, const statement *s, int n, const value parameters[])
{
    return db_query(here, a, &timing(req)->db, out, s, n, parameters);
}

/* What a task awaits ends with the task's deadline. No task stands behind a callback, but its query can be cancelled. */
static promise *within_deadline(request *req, promise *p)
{
    return task_running() ? p : with_deadline(p, request_deadline(req));
}

promise *site_query(request *req, rows *out, const statement *s, int n, const value parameters[])
{
    promise *p = db_query(here, request_arena(req), &timing(req)->db, out, s, n, parameters);
    return promise_named(within_deadline(req, p));
}

promise *site_query_each(request *req, rows out[], const statement *s, int count, int n, const value parameters[])
{
    promise *p = db_query_each(here, request_arena(req), &timing(req)->db, out, s, count, n, parameters);
    return promise_named(within_deadline(req, p));
}

promise *site_publish(request *req, const db_step steps[], int count)
{
    const int whole = published && outbox_is_missing(published) ? count - 1 : count;
    promise *p = db_transaction(here, request_arena(req), &timing(req)->db, whole, steps);
    return promise_named(within_deadline(req, p));
}

promise *site_transaction_in(request *req, arena *a, const db_step steps[], int count)
{
    return db_transaction(here, a, &timing(req)->db, count, steps);
}

int64_t site_published(void) { return published ? outbox_position(published) : -1; }

async int site_wait_published(int64_t id)
{
    enum { LOOK = 50, LONGEST = 5000 };      /* milliseconds */
    int err = 0;
    for (int waited = 0; !err && site_published() < id; waited += LOOK)
        err = waited < LONGEST ? await(sleep_for(LOOK)) : UV_ETIMEDOUT;
    return err;
}

promise *site_read_published(arena *a, rows *out, text topic, bool indexed, int64_t after, int limit)
{
    return published ? outbox_read(published, here, a, out, topic, indexed, after, limit) : promise_settled(UV_EAGAIN);
}

bool site_look_at_outbox(outbox_view *v)
{
    if (published)
        *v = outbox_look(published);
    return published;
}

/* On the outbox's thread. */
static void on_published(void *arg, const outbox_row *row)
{
    topic *t;
    (void)arg;
    int err = topic_open(row->topic, &t);
    if (!err) {
        err = topic_publish(t, row->id, row->event, row->data);
        topic_close(t);
    }
    if (err)
        log_warning("topic %.*s: a message was published that nobody here gets: %s", (int)row->topic.length, row->topic.at,
                    refusal_is(err) ? "there are too many topics" : uv_strerror(err));
}

int site_listen(database *d, const outbox_options *o) { return outbox_start(&published, d, o, on_published, NULL); }

void site_listen_end(void)
{
    if (published)
        outbox_stop(published);
    published = NULL;
}

promise *site_render(request *req, workload_run run)
{
    struct timing *t = timing(req);
    t->run = run;
    return promise_named(workload_start(&t->run));
}

rendering *site_rendering(request *req) { return &timing(req)->render; }

/* With three decimals: what printf takes for a double is a good part of a small answer's time. */
static char *put_milliseconds(char *at, const char *name, uint64_t ns)
{
    char digits[TEXT_DIGITS];
    const uint64_t us = (ns + 500) / 1000;
    const text whole = text_number(us / 1000, digits);
    at = mempcpy(stpcpy(at, name), whole.at, whole.length);
    *at++ = '.';
    *at++ = (char)('0' + us / 100 % 10);
    *at++ = (char)('0' + us / 10 % 10);
    *at++ = (char)('0' + us % 10);
    *at = '\0';
    return at;
}

/* https://www.w3.org/TR/server-timing/ */
static void add_timing(request *req)
{
    const struct timing *t = *request_context(req);
    if (!t)
        return;
    const char *place = t->run.ns ? t->run.place : t->render.place;
    const uint64_t waited = request_waited(req);
    char all[5 * (sizeof ", render;dur=" + TEXT_DIGITS + 4) + sizeof ";desc=\"process\""], *at = all;
    if (waited) {
        at = put_milliseconds(at, "line;dur=", waited);
        at = stpcpy(at, ", ");
    }
    at = put_milliseconds(at, "db;dur=", t->db.total);
    if (t->run.queued)
        at = put_milliseconds(at, ", pool;dur=", t->run.queued);
    at = put_milliseconds(at, ", render;dur=", t->render.watch.total + t->run.ns);
    if (place)
        at = stpcpy(stpcpy(stpcpy(at, ";desc=\""), place), "\"");
    put_milliseconds(at, ", total;dur=", uv_hrtime() - request_started(req));
    respond_header(req, "Server-Timing", "%s", all);
    recorder_sum(RECORD_DATABASE, scope_here()->label, t->db.total);
}

static int respond_varied(request *req, int status, const char *type, text body)
{
    respond_header(req, "Vary", "Accept");
    return status == 200 ? respond_tagged(req, type, body, CONDITIONS_NO_TIME) : respond(req, status, type, body);
}

int respond_html(request *req, int status, text html)
{
    return respond_varied(req, status, "text/html; charset=utf-8", html);
}

int respond_json(request *req, int status, text json)
{
    return respond_varied(req, status, "application/json", json);
}

int         site_static_folder(void) { return static_folder; }
bool        site_on_postgres(void)   { return on_postgres; }
bool        site_has_gallery(void)   { return has_gallery; }
bool        site_has_boards(void)    { return has_boards; }
bool        site_has_admin(void)     { return has_admin; }
const char *site_address(void)       { return own_address; }

void site_offer(bool gallery, bool boards, bool admin)
{
    has_admin = admin;
    has_gallery = gallery;
    has_boards = boards;
}

void site_reached_at(const char *served)
{
    address a = { .host = "" };
    const int err = address_parse(&a, served + strlen("http://"));
    assert(!err && "the server's own address");
    (void)err;
    address_write(&a, own_address);
}

static void site_open_here(void *arg) { here = db_new(arg); }

static int room_here(void *arg, need n)
{
    (void)arg;
    const int database = db_room(here, n == NEEDS_WRITES);
    const int threads = n == NEEDS_PAGE ? executor_room(EXECUTOR_CPU) : database;
    return threads < database ? threads : database;
}

/* While one of them renders, another can be in its query. */
static int threads_for(void *arg, need n) { return 2 * database_threads(arg, n == NEEDS_WRITES); }

static promise *site_free_here(void *arg)
{
    db_free(arg);
    return process_pool_close();
}

static promise *site_close_database(void *arg) { return then(db_close(arg), site_free_here, arg); }

static promise *site_close_replica(void *arg) { return then(replica_close_here(), site_close_database, arg); }

/* What goes on in the background first: it may use all else. */
static promise *site_close_here(void *arg)
{
    (void)arg;
    return then(mail_close(), site_close_replica, here);
}

site site_open(database *d, const route routes[], int route_count, problem_page *page, const char *folder, char *why,
               size_t size)
{
    static_folder = files_open(folder);
    if (static_folder < 0) {
        snprintf(why, size, "[files] root: cannot open the folder %s: %s", folder, uv_strerror(static_folder));
        return (site){ 0 };
    }
    on_postgres = database_is_postgres(d);
    return (site){
        .routes = routes, .count = route_count, .arg = d, .open = site_open_here, .close = site_close_here,
        .answering = add_timing, .problem = page, .room = room_here, .threads = threads_for,
    };
}
