/* recorder_watch.h - looking on, within this process, while a thread works: what its recorder gets, as it comes.
 *
 *     recorder_watch w;
 *     int err = recorder_watch_begin(&w, 1, 0);               the first loop's
 *     ...
 *     record seen[500];
 *     uint64_t missed;
 *     size_t n = recorder_watch_read(&w, seen, 500, &missed);
 *     recorder_watch_end(&w);
 *
 * As long as anybody does, the thread writes details (recorder.h). It does not wait for who watches: what was not read before
 * the ring came round, or does not fit, is missed, and counted.
 *
 *   Times.    Of what is read, since and end are nanoseconds of uv_hrtime's clock, unless since is an address.
 *   Threads.  Any one, one at a time. The thread that is watched may end meanwhile. */
#ifndef RECORDER_WATCH_H
#define RECORDER_WATCH_H

#include "recorder.h"

typedef struct recorder_watch {
    uint64_t id;                             /* the recorder's; 0: none is watched */
    uint64_t next;                           /* the entry that is read next */
    uint64_t tick, ns;                       /* of both of its clocks, when it began */
    bool     ticks;
} recorder_watch;

/* How many threads can be watched: those that have a recorder of their own, in the order in which they began. written, which
 * may be NULL, says of the first most of them how many entries each has written, ever. */
int recorder_watch_count(uint64_t written[], int most);

/* The number-th of these, from 1; it is read from so many entries ago on. 0, or UV_ENOENT: there is none. */
int  recorder_watch_begin(recorder_watch *w, int number, uint64_t back);
void recorder_watch_end(recorder_watch *w);  /* no-op if it has ended */

/* The newest entries since the last look, in the order in which they were written: how many. *missed: so many that are older. */
size_t recorder_watch_read(recorder_watch *w, record to[], size_t most, uint64_t *missed);

/* A copy of an entry of a ring, its text whole; another may have been written over half of it meanwhile. */
record record_load(const record *e);

bool record_since_is_time(record_kind kind);                 /* else it is an address */

#endif
