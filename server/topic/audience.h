/* audience.h - those on one thread who listen to the same thing, and how they are woken from any other.
 *
 *     ring -> the thread's list of audiences -> one wake-up, however many have been rung -> each member's wake()
 *
 * On a loop that is a uv_async, or, from the loop itself, no system call: its immediates. Thousands are woken in slices of a
 * turn, several audiences by turns, so that what each writes leaves before the next do, and the loop goes on with all else.
 * A blocking thread has an eventfd instead, while it listens to anything, and looks for itself.
 *
 *   Ownership.  An audience is there while it has members; a list of them, and the lock of that, are the thing's.
 *   Threads.    audience_ring is for any thread that has the lock, and the members' own; all else for theirs, with the lock
 *               for audience_join and audience_leave. */
#ifndef TOPIC_AUDIENCE_H
#define TOPIC_AUDIENCE_H

#include "server/base/list.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct audience audience;

typedef struct audience_member {
    list_node node;
    audience *audience;
    void    (*wake)(struct audience_member *m);      /* on a loop, soon after it was rung; may end members, also this one */
    bool      pass;                          /* which round it was woken in last */
} audience_member;

void audience_join(list *audiences, audience_member *m);    /* wake is set */
void audience_leave(audience_member *m);
void audience_ring(audience *a);
void audience_ring_all(const list *audiences);

/* A loop that does nothing else runs on while it expects anything of this kind. */
void audience_expect(const audience_member *m, int more);   /* 1 or -1 */

/* Of a blocking thread: from now on what is rung wakes it anew; so it looks after this call, and then waits. */
void audience_look(void);
int  audience_descriptor(void);              /* which can be read once it was rung; below 0: there was none left */

void audience_loop_end(void);                /* before loop_done: nothing on this loop listens any more */

#endif
