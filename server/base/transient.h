/* transient.h - errors that pass by themselves: what ended with one was undone whole, and the same may
 * succeed when it is done again. Who cannot do it again answers 503. Each layer has its own of them. */
#ifndef TRANSIENT_H
#define TRANSIENT_H

#include <stdbool.h>

/* As an error: negative, and no other's. */
#define TRANSIENT(n) (-32100 - (n))

static inline bool transient_is(int err) { return err <= TRANSIENT(0) && err > TRANSIENT(100); }

#endif
