/* list_walk.h - a list of another process (list.h), which goes on changing it.
 *
 * Each node says what points to it. So a walk that has come to a node from elsewhere has been overtaken by a change: then it
 * begins anew, some times. */
#ifndef INSPECT_LIST_WALK_H
#define INSPECT_LIST_WALK_H

#include "target.h"

typedef struct list_walk {
    target      *target;
    uint64_t     list;                       /* or a fifo: where it is */
    size_t       size;                       /* of each struct in it */
    target_field node;                       /* where its node is */
    void       (*begin)(void *arg);          /* forgets what was shown so far: before each attempt; may be NULL */
    void       (*show)(uint64_t at, const void *copy, void *arg);    /* a struct, and a copy of it */
    void        *arg;
} list_walk;

/* True if the last attempt came to the end of the list; else what it has shown is the beginning of it. */
bool list_walk_run(const list_walk *w);

#endif
