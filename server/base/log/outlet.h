/* outlet.h - a place to which lines go, and the lines that are on their way there.
 *
 *   stderr, stdout         what this process has by that name
 *   syslog, syslog:PATH    the local one: a datagram a line to /dev/log, or PATH, in the form of RFC 3164 as syslog(3) of glibc
 *                          sends it. (Of RFC 5424 journald, which listens there on most machines, reads nothing.)
 *   /PATH, ./PATH ...      a file, its name has a slash, to whose end lines are added; it is made if it is not there. A FIFO
 *                          needs a reader
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

#include <limits.h>

enum {
    OUTLET_LINE = PIPE_BUF,                  /* bytes of a line at most, its end included */
    OUTLET_BATCH = 64 * 1024,                /* of lines that go to a file together: the more, the less each costs */
};

typedef enum outlet_kind { OUTLET_NONE, OUTLET_STREAM, OUTLET_FILE, OUTLET_SYSLOG } outlet_kind;

typedef struct outlet {
    line_ring        ring;
    outlet_kind      kind;
    int              fd;                     /* -1: there is none just now */
    const char      *path;                   /* of a file or socket; the caller's */
    _Atomic uint64_t dropped;                /* lines, ever: no room for them, or they could not be written */
    uint64_t         told;                   /* of them, those that the log has spoken of */
    int              err;                    /* why the last batch could not be written; 0: it was */
    uint64_t         retry;                  /* nanoseconds of CLOCK_MONOTONIC: syslog is looked for again then */
    size_t           at, end;                /* of batch: what is being written */
    uint64_t         upto;                   /* in the ring: where that ends */
    char             batch[OUTLET_BATCH];
} outlet;

/* where lives as long as the outlet. size: of room, a power of two. 0, or a negative error. */
int  outlet_open(outlet *o, const char *where, char *room, size_t size);
void outlet_close(outlet *o);                /* what has not been written is lost */

/* Opens its file again, which may be another by now: 0, or a negative error, and lines go on to the old one. Of what is no
 * file, nothing. */
int  outlet_reopen(outlet *o);

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
    OUTLET_FULL,                             /* its reader has to read first: poll fd for room */
} outlet_state;

outlet_state outlet_go_on(outlet *o);

/* Writes to it here and now, when there is room within so many milliseconds: false if it could not. No line is put, or
 * waited for. Safe in a signal handler. */
bool outlet_write_now(const outlet *o, const char *bytes, size_t length, int ms);

#endif
