/* route.h - what a site gives the server: which handler answers which path, and what it asks of the server.
 *
 * A handler comes in one of four stages, and answers in any of them with the same functions (request.h):
 *
 *   answer     never waits: a plain call, which has answered when it returns 0, or fails by a negative error,
 *              as await's does. It costs neither a task nor a promise, and has no deadline, for nothing
 *              could end it sooner. To await in it, whatever it is, is a bug, and ends the process.
 *   await      returns 0 after answering, or a negative error, which becomes an error page and, if
 *              it is the server's fault, a line in the log. It runs as a task and may pause.
 *   promise    returns a promise that settles so.
 *   callback   calls done(err, arg) once, when it has answered or failed: from the handler itself, from a
 *              follower or a timer, or from a task, on the thread that called it. */
#ifndef HTTP_ROUTE_H
#define HTTP_ROUTE_H

#include "server/async/promise.h"
#include "server/base/buffer.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct request request;

typedef int      handler(request *req);
typedef promise *promise_handler(request *req);
typedef void     callback_handler(request *req, void (*done)(int err, void *arg), void *arg);

/* What runs before a handler: it looks at the request, and may add headers to its answer (respond_header). 0, and what comes next
 * runs, unless it has answered; or a negative error, as a handler returns it: then the handler does not run. It never waits. */
typedef int middleware(request *req);

#define BEFORE(...) ((middleware *const[]){ __VA_ARGS__, NULL })        /* of a route: in this order */

/* Writes the whole page of an error, in the site's own look: reason is the status' name, detail a sentence or two. On any
 * thread, also for a client of which no more is known. */
typedef void     problem_page(buffer *b, int status, text reason, text detail);

/* What a handler cannot do without, of which there is only so much at once (admission.h): queries that read, or
 * that write; or reads and then the thread pool, to render a page for those who prefer that to JSON. */
typedef enum need { NEEDS_NOTHING, NEEDS_READS, NEEDS_WRITES, NEEDS_PAGE, NEEDS } need;

typedef struct route {
    const char       *method, *path;         /* router.h says how a path is matched */
    handler          *answer, *await;        /* one of these four */
    promise_handler  *promise;
    callback_handler *callback;
    bool              streams;               /* await's: its body is not gathered, but pulled by request_read */
    bool              events;                /* promise's or callback's: it may answer by events_follow (events.h) */
    bool              websocket;             /* not answer's: it may answer by websocket_accept (websocket.h) */
    middleware *const *before;               /* BEFORE(...), or NULL: before it is admitted, when its body, if any, is there */
    need              needs;
    bool            (*there)(void);          /* NULL, or asked once, when the server opens: whether there is this route */
    bool              admin;                 /* it is at [admin] listen, too, whatever there says */
    uint32_t          deadline;              /* ms that it may take, if there is a limit, instead of [timeouts] request */
} route;

typedef struct site {
    const route *routes;
    int          count;
    void        *arg;
    void       (*open)(void *arg);           /* on each thread that runs handlers, before it serves */
    promise   *(*close)(void *arg);          /* on the same, when it has stopped */
    void       (*answering)(request *req);   /* before an answer is written: may add headers to it */
    problem_page *problem;                   /* NULL: a bare one */
    int        (*room)(void *arg, need n);   /* on a loop: how many more requests that need it could begin now */
    int        (*threads)(void *arg, need n);        /* in threads mode: how many threads keep it busy */
} site;

#endif
