/* failing_libpq.h - libpq's functions, which fail when a test wants it, as they do for want of memory, or wait until it has
 * done something. */
#ifndef FAILING_LIBPQ_H
#define FAILING_LIBPQ_H

#include <stdbool.h>

typedef enum libpq_call {
    LIBPQ_PREPARE, LIBPQ_PREPARED, LIBPQ_PARAMS, LIBPQ_SYNC, LIBPQ_FLUSH, LIBPQ_EMPTY,
    LIBPQ_NONBLOCKING, LIBPQ_PIPELINE, LIBPQ_CANCEL, LIBPQ_CALLS
} libpq_call;

/* The n-th call from now, of any thread, fails: 1 is the next one. If late, it does its work before. */
void libpq_fail(libpq_call call, int n, bool late);
void libpq_before(libpq_call call, void (*happens)(void));    /* each one, on its thread; NULL: nothing */
void libpq_hold_cancel(bool on);             /* as long as it is on, a cancel request that was delivered does not return */
bool libpq_failed(libpq_call call);          /* it has; and if not, it will not any more */

#endif
