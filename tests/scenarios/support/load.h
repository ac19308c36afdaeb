/* load.h - visitors who keep asking while something happens, and remember what they were told.
 *
 *   load *l = load_start(4, 4, 1);           while it lasts, tests may look at its counters
 *   ...
 *   load_stop(l);
 *
 * Readers ask for users, writers post, and watchers ask routes that need no database. Each is a thread with
 * a connection of its own, which it makes anew when it breaks. */
#ifndef TESTS_LOAD_H
#define TESTS_LOAD_H

#include <stdatomic.h>
#include <stdbool.h>

typedef struct load load;

typedef struct tally {                       /* what the answers of a kind of visitors were */
    atomic_int good, unavailable, late, other, broken;       /* 2xx and 3xx; 503; 504; any other; no answer */
    atomic_int uncertain;                    /* 502, of a post that may be stored */
    atomic_int without_retry_after;          /* of the 503s */
    atomic_int slowest;                      /* milliseconds */
    char       first_other[256];             /* what it said, once there is one */
} tally;

load  *load_start(int readers, int writers, int watchers);
tally *load_readers(load *l);
tally *load_writers(load *l);
tally *load_watchers(load *l);
int    load_held_up(load *l);                /* milliseconds that a thread had to wait for a processor, at most */
void   load_stop(load *l);                   /* joins the threads; the tallies stay */
/* The titles of all acknowledged posts as 'a','b','c', for an SQL list; the caller frees it. */
char  *load_acknowledged(load *l, int *count);
void   load_free(load *l);

#endif
