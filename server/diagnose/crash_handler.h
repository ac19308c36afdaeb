/* crash_handler.h - what is left to say before the process dies of a fault: what the log still holds, and, of a stack that
 * overflows, of which task or thread.
 *
 *   tenk: stack overflow in task /users/:id (GET /users/:id): it has 65536 bytes; raise [tasks] stack
 *
 * Then the process dies of the signal, as ever, with a core dump if there is to be one. Other faults
 * are not touched, nor are those of programs that have a handler of their own, as sanitizers do.
 *
 * Each thread that takes part gets a stack for signal handlers, which watchdog.h needs as well: a handler
 * has no room on a task's stack. */
#ifndef CRASH_HANDLER_H
#define CRASH_HANDLER_H

#include <stddef.h>

void crash_handler_install(void);                    /* for the process, once */

/* For the running thread, around all that it does. If it is a blocking thread, which runs handlers on its
 * own stack, setting names what made that as large as it is; else it is NULL. */
void crash_handler_thread_begin(const char *setting);
void crash_handler_thread_end(void);

#endif
