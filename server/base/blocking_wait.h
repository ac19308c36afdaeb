/* blocking_wait.h - how a blocking thread waits: it blocks, but not for a client that is gone.
 *
 * A thread that serves one client by itself has no loop to tell it that its client has left. So it
 * follows the client's socket, and whatever it waits for, it watches that as well:
 *
 *     blocking_follow(client, 1000);
 *     err = blocking_wait(PQsocket(pg), POLLIN, deadline);
 *
 *   Leaving.  A client that will send no more may still want its answer: the thread has a while for
 *             it, and is then cancelled. One that has reset its connection wants nothing.
 *   After.    Once cancelled, every wait of this thread fails at once, until it follows anew.
 *   Time.     A thread may have a deadline (deadline.h): no wait lasts longer, and from then on each that
 *             would have to wait ends at once with UV_ETIMEDOUT.
 *
 *   Errands.  A thread may have something to do meanwhile, at times, or when a descriptor can be read: its waits do it.
 *
 * A thread that waits for another thread has no descriptor for it: it wakes every BLOCKING_LOOK_MS, and
 * asks blocking_cancelled(). Where many wait for the same, each does so more rarely: five thousand in a
 * queue would else be twenty thousand wake-ups a second, of threads that have nothing to do, in the
 * moment in which the machine has least time for it. All of it is for threads without a loop. */
#ifndef BLOCKING_WAIT_H
#define BLOCKING_WAIT_H

#include "deadline.h"

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

enum { BLOCKING_LOOK_MS = 250 };

/* From now on this thread's waits end with that socket's client, so many milliseconds after it has
 * shut down its side of the connection. -1: with no client. */
void blocking_follow(int client, uint64_t half_close_ms);
bool blocking_cancelled(void);                  /* looks, and does not wait */

void     blocking_limit(uint64_t deadline);     /* NO_DEADLINE: from now on it has none, as at first */
uint64_t blocking_deadline(void);
bool     blocking_late(void);                   /* the deadline has come */

/* When to look next, of deadline_in, as one of so many threads that wait for the same: together they wake no more
 * than a thousand times a second. */
uint64_t blocking_next_look(int waiting);

/* From now on run(arg) is called while this thread waits, at the time due, of deadline_in, or, once, when fd can be read; -1:
 * none. It returns when to call it again: NO_DEADLINE is never, and BLOCKING_ENOUGH cancels the thread as a client that has
 * left does. It must not wait by these functions. run NULL: there is nothing more to do. */
#define BLOCKING_ENOUGH ((uint64_t)0)
void blocking_errand(int fd, uint64_t due, uint64_t (*run)(void *arg), void *arg);

/* Several things to wait for together, and until when, of deadline_in. {.until = NO_DEADLINE} is none. */
enum { BLOCKING_MOST = 16 };
typedef struct blocking_set {
    struct pollfd on[BLOCKING_MOST + 2];     /* and the client, and the errand's */
    int           count;
    uint64_t      until;
} blocking_set;

void blocking_add(blocking_set *s, int fd, short events);    /* not more than BLOCKING_MOST */

/* Until one of them has one of poll's events, or has failed; the rest as with blocking_wait. */
int blocking_wait_for(blocking_set *s);

/* Until fd has one of poll's events, or has failed: 0. Or until the time until, of deadline_in,
 * or the deadline: UV_ETIMEDOUT, never too early. Or until the client is gone: UV_ECANCELED. fd may be -1: only time. */
int blocking_wait(int fd, short events, uint64_t until);

/* From when to when, by uv_hrtime, this thread has waited since that was asked last: false if it has not. Who waits in another
 * way has it say so: since then, until now. */
bool blocking_waited(uint64_t *since, uint64_t *end);
void blocking_has_waited(uint64_t since);

#endif
