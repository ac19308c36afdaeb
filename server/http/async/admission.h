/* admission.h - which requests of a loop begin, when more come than their resource can serve.
 *
 * A route says what it needs (router.h), the site how much room there is for it (server.h). While there is
 * room, and none waits, a request begins at once. Else it waits here, whole: before it has a task, and
 * before anything has been asked of the database on its behalf. So one that must be refused has cost a look at its head.
 *
 *     begins at once, or:  new   | a client's only request       \  4 of the one,
 *                          again | clients that have sent ahead  /  1 of the other   -> begins, or 503
 *
 *   Fairness.  Of each connection at most one request waits, so a client that sends a hundred ahead has one
 *              place, as any other; and one that sends a single request goes before those (the "new flows" of FQ-CoDel,
 *              RFC 8290).
 *   Time.      How long one may wait is codel.h's to say: [database] line_timeout, or while its queue stands,
 *              [database] target. Of what a client has sent ahead, the latest are then kept, as many as can be served
 *              in a quarter of that, one after the other; those before them are refused at once.
 *   Memory.    [database] line bounds how many wait.
 *
 * All of it belongs to the loop of the worker. */
#ifndef HTTP_ADMISSION_H
#define HTTP_ADMISSION_H

#include "server/http/request_parser.h"
#include "server/base/observe/gauge.h"
#include "server/base/overload/codel.h"
#include "server/base/overload/wait_queue.h"
#include "server/config/config.h"
#include "server/async/timer.h"

struct admission;

typedef struct admission_queue {
    struct admission *admission;             /* whose it is */
    codel codel;
    wait_queue  alone, ahead;                      /* of requests; both in the order in which they came */
    int   waiting, most;
    gauge gauge;                             /* of waiting */
    bool  stands;                            /* is a standing queue, as of this turn (codel.h) */
    uint64_t worth;                          /* codel_worth, of what one client has sent at once */
    int   turns;                             /* of those alone, since one that was sent ahead began */
    timer timer;                             /* set to when the first one has waited long enough */
} admission_queue;

typedef struct admission {
    int          (*room)(void *arg, need n); /* the site's; NULL: there is always room */
    void          *arg;
    admission_queue queues[NEEDS];
    struct { size_t length; int err; uint64_t until; char bytes[2560]; } refusals[NEEDS][2];  /* as text: for a while */
} admission;

void admission_open(admission *a, const config *c);
void admission_configure(admission *a, const config *c);     /* by its bounds from now on; who waits stays */
void admission_close(admission *a);          /* no request may wait */

/* What the request that was parsed needs, as far as it matters now: one that would get JSON need not wait
 * for those that render pages. */
need admission_needs(const admission *a, const request_parser *p);

bool admission_is_open(const admission *a, need n);  /* a request that needs it may begin now */
bool admission_stands(const admission *a, need n);           /* more comes than can be served, for a while by now */
uint64_t admission_worth(const admission *a, need n);        /* codel_worth, of what one client has sent at once */

/* True: r may begin now. Else it waits, or, if its queue is full, has been refused: then it has an answer. */
bool admission_enter(admission *a, request *r);
void admission_leave(admission *a, request *r);      /* it will not begin: its client is gone */

/* Once a turn: begins as many as there is room for, and refuses those that have waited too long. */
void admission_serve(admission *a);

/* The whole answer, from status line to body, to a request that is refused unread but for its head. Valid until the
 * next call. */
text admission_refusal(admission *a, need n, bool html);

#endif
