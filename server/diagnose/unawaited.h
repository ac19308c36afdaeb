/* unawaited.h - promises that nobody awaited: each is counted, and logged with where it was made.
 *
 *   warning: sleep_for() was called at handlers/hello.c:9 by /hello and never awaited (GET /hello)
 *
 * Such a promise is cancelled, and waited for: scope.h. What does not compile (promise.h) is not seen here:
 * it is for those that were kept in a variable, and then forgotten.
 *
 *   Threads.  All of it is for any thread. To find the line takes milliseconds, so a loop leaves that to the
 *             watch (watchdog.h), while there is one. One and the same place is logged once a second at most. */
#ifndef FORGOTTEN_H
#define FORGOTTEN_H

#include "server/async/promise.h"

#include <stdbool.h>
#include <stdint.h>

void     unawaited_note(const promise_origin *from, const char *scope);      /* owner is static */
uint64_t unawaited_count(void);              /* ever */

/* Logs what has been noted and not been logged: all of it, or else what is due. Returns in how many
 * milliseconds the next will be due; UINT64_MAX: none is left. */
uint64_t unawaited_log(bool all);

#endif
