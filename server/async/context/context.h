/* context.h - the only machine-dependent thing here: swap one stack for another.
 *
 * A context is just a saved stack pointer; the registers that a C callee must keep are pushed on
 * that stack. Nothing above this file knows what a register is. context_x86_64.S and
 * context_aarch64.S are all of the assembly; any other CPU uses context_ucontext.c, which
 * `make CONTEXT=ucontext` chooses anywhere. */
#ifndef CONTEXT_H
#define CONTEXT_H

#include <stddef.h>

typedef void *context;                       /* where a suspended stack left off */

/* Lay out [base, base+size) so that the first switch into it calls entry(arg).
 * entry must never return: it must switch away for good. */
context context_make(void *base, size_t size, void (*entry)(void *), void *arg);

/* Save the running context in *from and continue at to. Returns when someone switches back. */
void context_switch(context *from, context to);

#endif
