/* unawaited.h - promises that were kept and never given on: what becomes of them when their scope ends.
 *
 * What is done on behalf of a scope may write to what the scope has: a task's stack, a request's arena. So all of it is
 * over before the scope is: what is left is reported, cancelled and waited for. To drop a promise does not compile
 * (promise.h): here it is about those that were put in a variable, and then forgotten.
 *
 *   Threads.  A scope's are its thread's. unawaited_count and unawaited_report_to are for any thread. */
#ifndef UNAWAITED_H
#define UNAWAITED_H

#include "promise.h"
#include "scope.h"

/* Nothing will be given on any more in s, which is not the thread's own: what is left is reported and cancelled, and so
 * is what is made on behalf of s meanwhile. Settles with 0 when all of it has settled: s may end then, and not before.
 * Work that cannot be cancelled is waited for. */
MUST_AWAIT promise *unawaited_drain(scope *s);

/* The thread ends, and nothing can settle any more what is left in its own scope: it is reported. */
void unawaited_thread_end(void);

uint64_t unawaited_count(void);              /* reported, ever, of all threads */

/* From now on each is reported to that, by the thread that found it; scope is the name of one, and static. At first a
 * line of the log names the function that made the promise. */
typedef void unawaited_report_fn(const promise_origin *from, const char *scope);
void unawaited_report_to(unawaited_report_fn *report);

#endif
