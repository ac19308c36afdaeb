/* running.h - the tenk that runs, as its pid file says: told from outside what to do.
 *
 * Both print a line about what became of it, and return 0, or an error after saying in why what is wrong: nobody runs, the pid
 * file is stale, or the process is another user's. */
#ifndef RUNNING_H
#define RUNNING_H

#include <stddef.h>
#include <stdint.h>

int running_reload(const char *pid_file, char *why, size_t size);

/* Waits until it has ended; UV_ETIMEDOUT if that takes longer than so many milliseconds: it is left alone then, and ends yet. */
int running_stop(const char *pid_file, uint64_t ms, char *why, size_t size);

#endif
