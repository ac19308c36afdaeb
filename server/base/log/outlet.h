/* outlet.h - a place to which lines go (outlet_target.h), and the lines that are on their way there.
 *
 * Lines are written together, as many as there are, but never a part of one: to what may be a pipe in writes of PIPE_BUF
 * bytes, which stay whole where others write to it, too. Nothing here waits for a reader: outlet_go_on says that there is no
 * room. (A terminal that is stopped is the exception: the kernel says that there is room, and then waits.)
 *
 *   Ownership.  The owner's memory, {0} at first; the ring's bytes are the owner's, too.
 *   Threads.    outlet_put is for any; the rest for one at a time. */
#ifndef OUTLET_H
#define OUTLET_H

#include "line_ring.h"
#include "outlet_target.h"

#include <limits.h>

enum {
    OUTLET_LINE = PIPE_BUF,                  /* bytes of a line at most, its end included */
    OUTLET_BATCH = 64 * 1024,                /* of lines that go to a file together: the more, the less each costs */
};

typedef struct outlet {
    line_ring        ring;
    outlet_target    to;
    _Atomic uint64_t dropped;                /* lines, ever: no room for them, or they could not be written */
    uint64_t         told;                   /* of them, those that the log has spoken of */
    int              err;                    /* why the last batch could not be written; 0: it was */
    uint64_t         retry;                  /* nanoseconds of CLOCK_MONOTONIC: syslog is looked for again then */
    size_t           at, end;                /* of batch: what is being written */
    uint64_t         upto;                   /* in the ring: where that ends */
    char             batch[OUTLET_BATCH];
} outlet;

/* size: of room, a power of two. 0, or a negative error. */
int  outlet_open(outlet *o, const char *where, char *room, size_t size);
void outlet_close(outlet *o);                /* what has not been written is lost */

/* What has not been written goes there, and all that follows; the place where it went is closed. Nowhere (OUTLET_NONE): what has
 * not been written is dropped, and counted, and what follows is gone. */
void outlet_redirect(outlet *o, const outlet_target *to);

/* False: there is no room for it; it is counted unless the caller will put it again. */
static inline bool outlet_put(outlet *o, const char *line, size_t length, bool again)
{
    const bool taken = line_ring_put(&o->ring, line, length);
    if (!taken && !again)
        atomic_fetch_add(&o->dropped, 1);
    return taken;
}

typedef enum outlet_state {
    OUTLET_EMPTY,                            /* all has been written */
    OUTLET_COMING,                           /* a line is just being put in: look again soon */
    OUTLET_MORE,                             /* it has written much, and there is more */
    OUTLET_FULL,                             /* its reader has to read first: poll to.fd for room */
} outlet_state;

outlet_state outlet_go_on(outlet *o);

/* Writes to it here and now, when there is room within so many milliseconds: false if it could not. No line is put, or
 * waited for. Safe in a signal handler. */
bool outlet_write_now(const outlet *o, const char *bytes, size_t length, int ms);

#endif
