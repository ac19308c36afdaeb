/* combine.h - promises made of promises, side by side.
 *
 *                  settles                               cancels the others
 *   gather         when all have                         at the first error, which is then its own
 *   all_settled    when all have, always with 0          never
 *   race           as the first to settle does           when one has settled
 *   any            with 0 as soon as one succeeds        when one has succeeded
 *
 * The drain rule: a combined promise settles only after every part has. A part may be writing
 * to its caller's stack; that frame may not return while it still can. Cancelling a
 * combined promise cancels its parts, and it settles as they then do.
 *
 * Each takes its parts; the array of them is the caller's. */
#ifndef COMBINE_H
#define COMBINE_H

#include "promise.h"

/* Settles when every part has: with 0, or with the first error, which cancels the other parts.
 * No parts at all succeed. */
MUST_AWAIT promise *promise_gather(promise *parts[], int count);

/* Settles with 0 when every part has, and outcomes[i], which must live until then, is what became of
 * the i-th. No parts at all succeed. */
MUST_AWAIT promise *promise_all_settled(promise *parts[], int outcomes[], int count);

/* Settles as the first part to settle does, after cancelling and draining the others. No parts at all
 * succeed. */
MUST_AWAIT promise *promise_race(promise *parts[], int count);

/* Settles with 0 when a part has succeeded, after cancelling and draining the others; when all have
 * failed, with the first error. Of no parts at all none can succeed: UV_EINVAL. */
MUST_AWAIT promise *promise_any(promise *parts[], int count);

/* The same for parts that are written down one by one: gather(a, b, c), all_settled(outcomes, a, b). */
#define gather(...)                promise_gather(PARTS(__VA_ARGS__), PARTS_COUNT(__VA_ARGS__))
#define all_settled(outcomes, ...) promise_all_settled(PARTS(__VA_ARGS__), outcomes, PARTS_COUNT(__VA_ARGS__))
#define race(...)                  promise_race(PARTS(__VA_ARGS__), PARTS_COUNT(__VA_ARGS__))
#define any(...)                   promise_any(PARTS(__VA_ARGS__), PARTS_COUNT(__VA_ARGS__))

#define PARTS(...)       ((promise *[]){ __VA_ARGS__ })
#define PARTS_COUNT(...) ((int)(sizeof(promise *[]){ __VA_ARGS__ } / sizeof(promise *)))

#endif
