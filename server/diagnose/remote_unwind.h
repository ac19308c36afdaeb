/* remote_unwind.h - a thread of this process, or of another, seen from outside.
 *
 * A thread that sleeps in a system call has a stack that can be read without its help: so its sleep is
 * not interrupted, as a signal would, and goes on for as long as it was meant to. */
#ifndef REMOTE_UNWIND_H
#define REMOTE_UNWIND_H

#include "symbols.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* The places in the code where it is, the innermost first, for symbols_frame. 0 if it does not sleep, or
 * has woken meanwhile, or its stack cannot be followed to the end from what the kernel tells of it. */
int remote_unwind(pid_t thread, uintptr_t frames[], int most);

/* The same of many threads, of any process that may be looked at: s is of symbols_open_of(process), lives longer, and has
 * one such at a time. */
typedef struct unwinder unwinder;
unwinder *unwinder_open(symbols *s, pid_t process);
int       unwinder_look(unwinder *u, pid_t thread, uintptr_t frames[], int most);
void      unwinder_close(unwinder *u);

/* Copies what is at from, if it can be read. */
bool remote_read(uintptr_t from, void *to, size_t size);
bool process_read(pid_t process, uintptr_t from, void *to, size_t size);

#endif
