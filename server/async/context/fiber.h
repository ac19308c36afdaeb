/* fiber.h - a stack, and where it left off: what runs on it may leave, and go on there when it is entered again.
 *
 * AddressSanitizer and ThreadSanitizer must be told of each switch of stacks, and are told here. */
#ifndef FIBER_H
#define FIBER_H

#include "context.h"
#include "server/base/sanitizers.h"
#include "stack.h"

#include <stdbool.h>

typedef struct fiber {
    context     here, caller;                /* where it left off; who entered it */
    stack       stack;
#if SANITIZES_ADDRESSES
    void       *fake_stack;
    const void *caller_base;
    size_t      caller_size;
#endif
#if SANITIZES_THREADS
    void       *itself, *caller_itself;
#endif
} fiber;

/* It has s from now on, and begins as entry(arg) on what is below top; what is above may be its owner's, or itself. */
void fiber_init(fiber *f, stack s, void *top, void (*entry)(void *), void *arg);
void fiber_done(fiber *f);                   /* which has left, or was never entered: its stack goes back */

void fiber_enter(fiber *f);                  /* returns when it has left */

/* On its own stack: the first that entry does; and back to who has entered it. Entry never returns, but leaves for good. */
void fiber_begin(fiber *f);
void fiber_leave(fiber *f, bool for_good);

#endif
