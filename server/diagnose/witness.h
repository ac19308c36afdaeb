/* witness.h - a thread is asked, by a signal, what it is doing right now.
 *
 * Its handler runs on top of whatever the thread does, on the stack of fault.h, and writes down where that
 * is, and for whom. The signal is SIGURG: nobody here uses it, debuggers let it pass, and it does nothing
 * to those who have no handler. It interrupts a sleep, so who sleeps is not asked (peek.h). */
#ifndef WITNESS_H
#define WITNESS_H

#include "server/async/owner.h"
#include "server/async/pulse.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

enum { WITNESS_PLACES = 32 };

typedef struct testimony {
    uint64_t  beats;                         /* the callback that it is about, by the loop's pulse */
    owner     on_behalf;                     /* a copy: only to look at */
    int       count;
    uintptr_t places[WITNESS_PLACES];        /* in the code, the innermost first, for symbols_frame */
} testimony;

typedef struct witness {
    pulse     *pulse;                        /* of the thread's loop */
    atomic_int state;
    testimony  said;
} witness;

void witness_install(void);                  /* for the process, once */
void witness_begin(witness *w);              /* w is the running thread's, from now on; {.pulse} */
void witness_end(void);

/* For another thread, which must know that this one has not ended. Answers come when they come, if the
 * thread can run at all: *t is one only when this returns true, which it does once for each question. */
void witness_ask(witness *w, pthread_t thread);
bool witness_answer(witness *w, testimony *t);

#endif
