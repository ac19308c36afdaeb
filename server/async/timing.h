/* timing.h - sleeping, and not waiting for ever. */
#ifndef TIMING_H
#define TIMING_H

#include "promise.h"

#include <stdint.h>

/* Settles with 0 after ms milliseconds; UV_ECANCELED if cancelled first. In a blocking thread it
 * sleeps, and returns settled; there it is the client's leaving that cancels it, and the thread's
 * deadline that ends it with UV_ETIMEDOUT (blocking_wait.h). */
MUST_AWAIT promise *sleep_for(uint64_t ms);

/* Settles as p does, if that is in time. Otherwise cancels p, drains it, and settles with
 * UV_ETIMEDOUT - unless p succeeded all the same: a success is never thrown away, nor is
 * ERR_UNCERTAIN: a caller that believes it was only too late does it again. Takes p.
 * Work that cannot be interrupted (a thread already rendering) delays the answer until it ends. */
MUST_AWAIT promise *with_timeout(promise *p, uint64_t ms);

/* The same, by a deadline.h time; NO_DEADLINE leaves p as it is. Takes p. */
MUST_AWAIT promise *with_deadline(promise *p, uint64_t deadline);

#endif
