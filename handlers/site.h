/* site.h - what the handlers of this site share: its database, reached from a request.
 *
 *     err = await(query(req, &user, &USER_BY_ID, integer(id)));
 *
 * What a request spends on the database and on rendering is measured, and told by the answer's
 * Server-Timing header: render;dur=0.042;desc="loop". So is how long it was in line to be admitted (line), and its rendering
 * for a thread of the pool (pool), if it was. */
#ifndef SITE_H
#define SITE_H

#include "db/db.h"
#include "server/async/task.h"
#include "server/executor/workload.h"
#include "server/http/request.h"

#define query(req, out, statement, ...)                                                     \
    site_query((req), (out), (statement), (int)(sizeof(value[]){ __VA_ARGS__ } / sizeof(value)), \
               (value[]){ __VA_ARGS__ })

MUST_AWAIT promise *site_query(request *req, rows *out, const statement *s, int n, const value parameters[]);

/* The same for a request that asks time and again: what the answer needs ends with the arena, not with the
 * request. */
MUST_AWAIT promise *site_query_in(request *req, arena *a, rows *out, const statement *s, int n, const value parameters[]);

/* s, which reads, once for each of count lists of n parameters: see db_query_each. */
MUST_AWAIT promise *site_query_each(request *req, rows out[], const statement *s, int count, int n, const value parameters[]);

/* Stores, and publishes in the same transaction (outbox.h): the last of the steps publishes, the others store. Where there is
 * no outbox they are stored all the same. */
MUST_AWAIT promise *site_publish(request *req, const db_step steps[], int count);

/* The same for a request that does so time and again; all of the steps are run, or none. What the answer needs ends with the
 * arena. */
MUST_AWAIT promise *site_transaction_in(request *req, arena *a, const db_step steps[], int count);

/* The id up to which all that was published has reached this process; -1: it is not known yet. And what was published on a topic
 * behind an id, up to there: outbox_read. */
int64_t site_published(void);
async int site_wait_published(int64_t id);   /* until that is it, or more: 0, or UV_ETIMEDOUT after some seconds */
MUST_AWAIT promise *site_read_published(arena *a, rows *out, text topic, bool indexed, int64_t after, int limit);

/* False: nothing is handed out here, and there is nothing to look at. */
struct outbox_view;
bool site_look_at_outbox(struct outbox_view *v);

/* Renders a page, on the loop or in the pool (workload.h); run.arg must outlive the promise. */
MUST_AWAIT promise *site_render(request *req, workload_run run);

/* What is rendered in another way measures itself. */
typedef struct rendering {
    stopwatch   watch;                       /* to be run meanwhile */
    const char *place;                       /* for desc; NULL: there is no choice */
} rendering;
rendering *site_rendering(request *req);

/* Of 200s also by the client's conditions (conditions.h): their result is the handler's to return. */
int  respond_html(request *req, int status, text html);
int  respond_json(request *req, int status, text json);
int  site_static_folder(void);               /* the descriptor of the one behind /static/ */
bool site_on_postgres(void);                 /* else on SQLite */

/* For main: the site of those routes over that database, with that page for errors and the folder behind /static/. All
 * must outlive it. .routes is NULL on an error, and why says which. */
site site_open(database *d, const route routes[], int route_count, problem_page *page, const char *folder, char *why,
               size_t size);

/* Before the server is opened: which of those routes there are (.there) that strangers do not find unless they are
 * asked for. */
void site_offer(bool gallery, bool boards, bool admin);
bool site_has_gallery(void);
bool site_has_boards(void);
bool site_has_admin(void);                   /* what is for [admin] listen, where the others are */

/* While it serves, what any server publishes on this database reaches the topics of this process (topic.h), by the ids of the
 * outbox. 0 or an error. */
struct outbox_options;
int  site_listen(database *d, const struct outbox_options *o);
void site_listen_end(void);                  /* no-op if it does not listen */

/* Before it serves: where this machine reaches it, "http://127.0.0.1:8080". */
void        site_reached_at(const char *address);
const char *site_address(void);              /* "127.0.0.1:8080" */

#endif
