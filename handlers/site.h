/* site.h - what the handlers of this site share: its database, reached from a request.
 *
 *     err = await(query(req, &user, &USER_BY_ID, integer(id)));
 *
 * What a request spends on the database and on rendering is measured, and told by the answer's
 * Server-Timing header. */
#ifndef SITE_H
#define SITE_H

#include "db/db.h"
#include "server/http/request.h"

#define query(req, out, statement, ...)                                                     \
    site_query((req), (out), (statement), (int)(sizeof(value[]){ __VA_ARGS__ } / sizeof(value)), \
               (value[]){ __VA_ARGS__ })

MUST_AWAIT promise *site_query(request *req, rows *out, const statement *s, int n, const value parameters[]);

/* The same for a request that asks time and again: what the answer needs ends with the arena, not with the
 * request. */
MUST_AWAIT promise *site_query_in(request *req, arena *a, rows *out, const statement *s, int n, const value parameters[]);

stopwatch *site_rendering(request *req);     /* to be run while rendering */

/* Of 200s also by the client's conditions (conditions.h): their result is the handler's to return. */
int  respond_html(request *req, int status, text html);
int  respond_json(request *req, int status, text json);
int  static_root(void);                      /* the folder behind /static/ */
bool site_on_postgres(void);                 /* else on SQLite */

/* For main: the site over that database. d and root must outlive it. */
site site_over(database *d, const char *root, char *why, size_t size);       /* .routes NULL on an error */

extern const route ROUTES[];
extern const int   ROUTE_COUNT;

#endif
