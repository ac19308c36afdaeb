/* plain.h - how a plain thread waits: it blocks, but not for a client that is gone.
 *
 * A thread that serves one client by itself has no loop to tell it that its client has left. So it
 * follows the client's socket, and whatever it waits for, it watches that as well:
 *
 *     plain_follow(client, 1000);
 *     err = plain_wait(PQsocket(pg), POLLIN, deadline);
 *
 *   Leaving.  A client that will send no more may still want its answer: the thread has a while for
 *             it, and is then cancelled. One that has reset its connection wants nothing.
 *   After.    Once cancelled, every wait of this thread fails at once, until it follows anew.
 *   Time.     A thread may have a deadline (deadline.h): no wait lasts longer, and from then on each that
 *             would have to wait ends at once with UV_ETIMEDOUT.
 *
 * A thread that waits for another thread has no descriptor for it: it wakes every PLAIN_LOOK_MS, and
 * asks plain_cancelled(). Where many wait for the same, each does so more rarely: five thousand in a
 * line would else be twenty thousand wake-ups a second, of threads that have nothing to do, in the
 * moment in which the machine has least time for it. All of it is for threads without a loop. */
#ifndef PLAIN_H
#define PLAIN_H

#include <stdbool.h>
#include <stdint.h>

enum { PLAIN_LOOK_MS = 250 };

#define PLAIN_FOREVER UINT64_MAX             /* NO_DEADLINE */

/* From now on this thread's waits end with that socket's client, so many milliseconds after it has
 * said all. -1: they end with nobody. */
void plain_follow(int client, uint64_t farewell_ms);
bool plain_cancelled(void);                  /* looks, and does not wait */

void     plain_limit(uint64_t deadline);     /* NO_DEADLINE: from now on it has none, as at first */
uint64_t plain_deadline(void);
bool     plain_late(void);                   /* the deadline has come */

/* When to look next, of plain_in, as one of so many who wait for the same: together they wake no more
 * than a thousand times a second. */
uint64_t plain_next_look(int waiting);

uint64_t plain_in(uint64_t ms);              /* the time, by uv_hrtime's clock, in so many milliseconds */
int      plain_until(uint64_t time);         /* and back, as poll has it: rounded up; -1 is PLAIN_FOREVER */

/* Until fd has one of poll's events, or has failed: 0. Or until the time until, of plain_in,
 * or the deadline: UV_ETIMEDOUT, never too early. Or until the client is gone: UV_ECANCELED. fd may be -1: only time. */
int plain_wait(int fd, short events, uint64_t until);

#endif
