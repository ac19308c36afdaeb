/* usage.h - what each route has taken since the start, out of what is added up (recorder.h, shard.h). */
#ifndef REQUESTS_USAGE_H
#define REQUESTS_USAGE_H

#include "server/async/label.h"
#include "server/base/arena.h"
#include "server/base/observe/recorder.h"

typedef struct usage_of { uint64_t count, ns, queued; } usage_of;    /* times in nanoseconds */

typedef struct usage_place { int32_t place; const char *what; usage_of all; } usage_place;

/* What waited is told apart by the function whose promise was awaited. */
typedef enum usage_wait { USAGE_TIMERS, USAGE_SOCKETS, USAGE_FILES, USAGE_OTHERS, USAGE_WAITS } usage_wait;

typedef struct usage {
    const char  *route;                      /* "GET /users/:id" */
    label        label;
    bool         is_estimated;               /* usage_is_estimated of it */
    usage_of     requests;                   /* of which the handler has ended, those that last for other reasons apart */
    usage_of     of[RECORD_DETAILS];
    usage_place  places[RECORD_PLACES];      /* awaits, those that have waited the longest first; place 0: no more */
    uint64_t     waits[USAGE_WAITS];         /* of those that wait for neither the database nor the pool */
    label_counts blocked;
} usage;

/* Is a route's handler on a loop, but no task: a promise's or a callback's? Then it is recorded neither when it ran nor what it
 * waited for, but for queries and jobs. */
bool usage_is_estimated(label l);

/* All that have had a request in the mode of this thread, as they stand in the table of routes; allocated in a. since: uv_hrtime
 * of the oldest recorder; 0: there is none. */
int usage_read(arena *a, usage **all, uint64_t *since);

#endif
