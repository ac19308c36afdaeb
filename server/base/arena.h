/* arena.h - memory that ends all at once: whatever a request needs lives until its response is sent.
 *
 *   Ownership.  Everything allocated belongs to the arena and ends with arena_done().
 *   Threads.    One user at a time. A task that awaits work on another thread may lend it its arena. */
#ifndef ARENA_H
#define ARENA_H

#include "text.h"

#include <stddef.h>

typedef struct arena {
    char              *next, *end;           /* the free part of the newest block; the first room is borrowed */
    struct arena_item *items;                /* its blocks, and what is to be called at its end: newest first */
} arena;

void  arena_init(arena *a, void *room, size_t size);         /* room may be NULL; it is the caller's */
void *arena_alloc(arena *a, size_t size);                    /* zeroed, aligned for anything */
void *arena_room(arena *a, size_t size);                     /* the same, not zeroed: to be overwritten at once */
void *arena_room_alone(arena *a, size_t least, size_t *size);        /* not zeroed, in a block of its own of *size bytes */
char *arena_copy(arena *a, text t);                          /* terminated */
char *arena_printf(arena *a, const char *format, ...) __attribute__((format(printf, 2, 3)));
void  arena_defer(arena *a, void (*end)(void *), void *arg); /* end(arg) in arena_done, last one first */
void  arena_done(arena *a);

#endif
