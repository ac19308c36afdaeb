/* semaphore.h - at most N at a time; the others wait in a queue.
 *
 *   err = await(semaphore_enter(s));
 *   if (err)
 *       return err;
 *   ...
 *   semaphore_leave(s);
 *
 * First come, first served. A waiter that is cancelled leaves the queue and holds nothing. */
#ifndef SEMAPHORE_H
#define SEMAPHORE_H

#include "promise.h"

#include <stdint.h>

typedef struct semaphore semaphore;

semaphore *semaphore_new(int permits, int max_waiting);

/* How many milliseconds one may wait while more come than can be served (codel.h); 0, as at first: any. What has
 * waited longer when a permit passes to another is told UV_EBUSY. */
void       semaphore_set_target(semaphore *s, uint64_t ms);
void       semaphore_free(semaphore *s);                     /* nothing may be inside or wait */

MUST_AWAIT promise *semaphore_enter(semaphore *s);           /* UV_EAGAIN at once when the queue is full */
void       semaphore_leave(semaphore *s);                    /* the permit passes to the first that waits */

#endif
