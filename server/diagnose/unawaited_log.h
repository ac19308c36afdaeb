/* unawaited_log.h - the promises that unawaited.h reports, in the log, with the line of the source.
 *
 *   warning: sleep_for() was called at handlers/hello.c:9 by /hello and never awaited (GET /hello)
 *
 *   Threads.  All of it is for any thread. To find the line takes milliseconds, so a loop leaves that to the watchdog
 *             (watchdog.h), while there is one. One and the same place is logged once a second at most. */
#ifndef UNAWAITED_LOG_H
#define UNAWAITED_LOG_H

#include "server/async/unawaited.h"

#include <stdbool.h>
#include <stdint.h>

void unawaited_log_install(void);            /* from now on all that is reported is noted here */
void unawaited_log_note(const promise_origin *from, const char *scope);      /* as unawaited_report_fn */

/* wake tells a thread to call unawaited_log_flush(false) soon; false: there is none, and who notes one logs it. */
void unawaited_log_set_wake(bool (*wake)(void));

/* Logs what has been noted and not been logged: all of it, or else what is due. Returns in how many
 * milliseconds the next will be due; UINT64_MAX: none is left. */
uint64_t unawaited_log_flush(bool all);

#endif
