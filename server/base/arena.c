/* arena.c - see arena.h. */
#include "arena.h"
#include "block.h"
#include "memory.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { BLOCK = 4096, LARGER = 4, ALIGN = alignof(max_align_t) };

struct arena_item   { struct arena_item *next; size_t size; };               /* a block; without size, an ending */
struct arena_block  { struct arena_item item; max_align_t room[]; };
struct arena_ending { struct arena_item item; void (*end)(void *); void *arg; };

void arena_init(arena *a, void *room, size_t size)
{
    *a = (arena){ 0 };
    if (room && !RESERVE_NOTHING) {
        a->next = room;
        a->end = a->next + size;
    }
}

static struct arena_block *arena_add_block(arena *a, size_t room)
{
    size_t size;
    struct arena_block *b = block_get(sizeof *b + room, &size);
    b->item = (struct arena_item){ a->items, size };
    a->items = &b->item;
    return b;
}

/* Thousands wait at once who need but a little: the first one is small, and each further one larger. */
static size_t arena_next_block(const arena *a)
{
    const struct arena_item *newest = a->items;
    while (newest && newest->size == 0)
        newest = newest->next;
    return !newest ? BLOCK_SMALLEST : newest->size < BLOCK / LARGER ? LARGER * newest->size : BLOCK;
}

/* A large object gets a block of its own, and the rest of the one in use stays in use. Under the
 * sanitizers and valgrind every object gets one, so that they see each step over its end. */
static void *arena_room_slowly(arena *a, size_t size)
{
    const size_t usual = arena_next_block(a);
    const bool alone = sizeof(struct arena_block) + size > usual || RESERVE_NOTHING;
    struct arena_block *b = arena_add_block(a, alone ? size : usual - sizeof *b);
    if (!alone) {
        a->next = (char *)b->room + size;
        a->end = (char *)b + b->item.size;
    }
    return b->room;
}

void *arena_room(arena *a, size_t size)
{
    char *at = (char *)(((uintptr_t)a->next + ALIGN - 1) & ~(uintptr_t)(ALIGN - 1));

    if (!a->next || at > a->end || (size_t)(a->end - at) < size)
        return arena_room_slowly(a, size);
    a->next = at + size;
    return at;
}

void *arena_alloc(arena *a, size_t size) { return memset(arena_room(a, size), 0, size); }

void *arena_room_alone(arena *a, size_t least, size_t *size)
{
    struct arena_block *b = arena_add_block(a, least);
    *size = b->item.size - sizeof *b;
    return b->room;
}

char *arena_copy(arena *a, text t)
{
    char *copy = arena_room(a, t.length + 1);
    memcpy(copy, t.at, t.length);
    copy[t.length] = '\0';
    return copy;
}

/* It is printed to where it would go: most fit, and are printed once. */
char *arena_printf(arena *a, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    const size_t there = a->next && !RESERVE_NOTHING ? (size_t)(a->end - a->next) : 0;
    const size_t size = (size_t)vsnprintf(there ? a->next : NULL, there, format, args) + 1;
    char *out = a->next;
    if (size <= there)
        a->next += size;
    else
        vsnprintf(out = arena_room(a, size), size, format, again);
    va_end(again);
    va_end(args);
    return out;
}

void arena_defer(arena *a, void (*end)(void *), void *arg)
{
    struct arena_ending *e = arena_alloc(a, sizeof *e);
    *e = (struct arena_ending){ .item.next = a->items, .end = end, .arg = arg };
    a->items = &e->item;
}

static struct arena_ending *arena_take_ending(arena *a)
{
    struct arena_item **at = &a->items, *found;
    while ((found = *at) && found->size > 0)
        at = &found->next;
    if (found)
        *at = found->next;
    return (struct arena_ending *)found;
}

void arena_done(arena *a)
{
    for (struct arena_ending *e; (e = arena_take_ending(a));)                /* an ending may defer another */
        e->end(e->arg);
    for (struct arena_item *block = a->items, *next; block; block = next) {
        next = block->next;
        block_put(block, block->size);
    }
    *a = (arena){ 0 };
}
