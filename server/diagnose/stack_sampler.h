/* stack_sampler.h - a sample of a thread's stack: what it is doing right now, and on whose behalf.
 *
 * It is taken by a signal handler of the thread itself, which runs on top of whatever the thread does, on the stack of
 * crash_handler.h. The signal is SIGURG: tenk has no other use for it, debuggers let it pass, and by default it is ignored.
 * It interrupts a sleep: the stack of a thread that sleeps is read from outside (remote_unwind.h). */
#ifndef STACK_SAMPLER_H
#define STACK_SAMPLER_H

#include "server/async/loop.h"
#include "server/async/scope.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { STACK_SAMPLE_FRAMES = 32 };

typedef struct stack_sample {
    uint64_t  sequence;                      /* of the loop's activity: the callback that it is about */
    scope     on_behalf;                     /* a copy: only to look at */
    int       count;
    uintptr_t frames[STACK_SAMPLE_FRAMES];   /* places in the code, the innermost first, for symbols_frame */
} stack_sample;

typedef struct stack_sampler {
    loop_activity *activity;                 /* of the thread's loop */
    atomic_int     state;
    stack_sample   sample;
} stack_sampler;

void stack_sampler_install(void);            /* for the process, once */
void stack_sampler_begin(stack_sampler *s);  /* s is the running thread's, from now on; {.activity} */
void stack_sampler_end(void);

/* For another thread, which must know that this one has not ended. The sample comes when the thread runs, if it can run
 * at all: *sample is one only when stack_sampler_take returns true, which it does once for each request. */
void stack_sampler_request(stack_sampler *s, pthread_t thread);
bool stack_sampler_take(stack_sampler *s, stack_sample *sample);

#endif
