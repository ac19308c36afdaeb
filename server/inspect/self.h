/* self.h - this process, looked at by itself as by another (target.h): nothing that it does waits for that.
 *
 * To open a target takes milliseconds, and what it has read of debug information stays with it. So there is one for all who
 * look, from the first look on until nobody holds it any more.
 *
 *   Threads.  For any thread that may block; one looks at a time, and the others wait. */
#ifndef INSPECT_SELF_H
#define INSPECT_SELF_H

#include "target.h"

void self_hold(void);
void self_release(void);                     /* may be called on a loop: a thread closes what nobody holds any more */

/* Calls look(t, arg), for what is held. 0, or a negative error and why. */
int self_look(void (*look)(target *t, void *arg), void *arg, char *why, size_t size);

#endif
