/* signal_stack.h - a stack of its own for the running thread's signal handlers.
 *
 * On a task's stack there is no room for one; and once a stack has overflowed there is none at all: without another, the process
 * dies without a word (crash_handler.h). */
#ifndef SIGNAL_STACK_H
#define SIGNAL_STACK_H

void signal_stack_begin(void);               /* no-op if the thread has one already, as sanitizers give it */
void signal_stack_end(void);                 /* gives back what begin has made; a thread that ends with the process need not */

#endif
