/* stack_sampler.h - a thread is asked, by a signal, what it is doing right now.
 *
 * Its handler runs on top of whatever the thread does, on the stack of crash_handler.h, and writes down where that
 * is, and for whom. The signal is SIGURG: nobody here uses it, debuggers let it pass, and it does nothing
 * to those who have no handler. It interrupts a sleep, so who sleeps is not asked (remote_unwind.h). */
#ifndef WITNESS_H
#define WITNESS_H

#include "server/async/loop.h"
#include "server/async/scope.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { STACK_SAMPLE_PLACES = 32 };

typedef struct stack_sample {
    uint64_t  beats;                         /* the callback that it is about, by the loop's pulse */
    scope     on_behalf;                     /* a copy: only to look at */
    int       count;
    uintptr_t places[STACK_SAMPLE_PLACES];        /* in the code, the innermost first, for symbols_frame */
} stack_sample;

typedef struct stack_sampler {
    loop_activity *activity;                        /* of the thread's loop */
    atomic_int state;
    stack_sample  said;
} stack_sampler;

void stack_sampler_install(void);                  /* for the process, once */
void stack_sampler_begin(stack_sampler *w);              /* w is the running thread's, from now on; {.pulse} */
void stack_sampler_end(void);

/* For another thread, which must know that this one has not ended. Answers come when they come, if the
 * thread can run at all: *t is one only when this returns true, which it does once for each question. */
void stack_sampler_ask(stack_sampler *w, pthread_t thread);
bool stack_sampler_answer(stack_sampler *w, stack_sample *t);

#endif
