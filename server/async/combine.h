/* combine.h - promises made of promises.
 *
 * The drain rule: a combined promise settles only after every part has. A part may be writing
 * to its caller's stack; nobody may return from that frame while it still can. Cancelling a
 * combined promise cancels its parts, and it settles as they then do. */
#ifndef COMBINE_H
#define COMBINE_H

#include "promise.h"

/* When p succeeds, next(arg) starts the following step, and the result settles as that step
 * does. When p fails, next is skipped and the error passes through. Takes p. */
MUST_AWAIT promise *then(promise *p, promise *(*next)(void *arg), void *arg);

/* Settles when every part has: with 0, or with the first error, which cancels the other parts.
 * Takes the parts; the array is the caller's. No parts at all succeed. */
MUST_AWAIT promise *promise_gather(promise *parts[], int count);
#define gather(...) \
    promise_gather((promise *[]){ __VA_ARGS__ }, \
                   (int)(sizeof(promise *[]){ __VA_ARGS__ } / sizeof(promise *)))

/* Settles as the first part to settle does, after cancelling and draining the others. */
MUST_AWAIT promise *promise_race(promise *parts[], int count);
#define race(...) \
    promise_race((promise *[]){ __VA_ARGS__ }, \
                 (int)(sizeof(promise *[]){ __VA_ARGS__ } / sizeof(promise *)))

#endif
