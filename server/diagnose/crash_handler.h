/* crash_handler.h - what is left to say before the process dies of a fault: what the log still holds, what happened where, and,
 * of a stack that overflows, how large it was.
 *
 *   tenk: stack overflow in task /users/:id (GET /users/:id): it has 65536 bytes; raise [tasks] stack
 *   tenk: SIGSEGV (Segmentation fault) at address 0x0 in task /users/:id (GET /users/:id), thread tenk
 *   tenk: addr2line -fie tenk 0x3f21c 0x3e077
 *
 * The last line is for a shell: it says the files and lines of the calls that led there. Then the process dies of the signal,
 * as ever, with a core dump if there is to be one. Faults are not touched of programs that have a handler of their own, as
 * sanitizers do.
 *
 *   Threads.  It takes any; but on one without a stack for signal handlers (signal_stack.h) an overflow says nothing. The loops',
 *             those that serve, those of the pool and those of thread_start have one. */
#ifndef CRASH_HANDLER_H
#define CRASH_HANDLER_H

void crash_handler_install(void);                    /* for the process, once */

/* For the running thread, around all that it does. If it is a blocking thread, which runs handlers on its own stack, setting
 * names what made that as large as it is; else it is NULL. Gives it a stack for signal handlers, which watchdog.h needs, too. */
void crash_handler_thread_begin(const char *setting);
void crash_handler_thread_end(void);

#endif
