/* arena.c - see arena.h. Blocks of the common size come from a list that this thread keeps. */
#include "arena.h"
#include "memory.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { BLOCK = 4096, KEEP = 256, ALIGN = alignof(max_align_t) };

struct arena_block  { struct arena_block *next; size_t size; max_align_t room[]; };
struct arena_ending { struct arena_ending *next; void (*end)(void *); void *arg; };

/* Blocks that ended on this thread. */
static _Thread_local struct { struct arena_block *first; int count; } kept;

void arena_init(arena *a, void *room, size_t size)
{
    *a = (arena){ 0 };
    if (room && !mem_each_its_own) {
        a->next = room;
        a->end = a->next + size;
    }
}

static struct arena_block *block_get(size_t size)
{
    if (size == BLOCK && kept.first) {
        struct arena_block *b = kept.first;
        kept.first = b->next;
        kept.count--;
        return b;
    }
    struct arena_block *b = mem_resize(NULL, size);
    b->size = size;
    return b;
}

static void block_put(struct arena_block *b)
{
    if (b->size != BLOCK || kept.count == KEEP || mem_each_its_own) {
        mem_free(b);
        return;
    }
    b->next = kept.first;
    kept.first = b;
    kept.count++;
}

/* A large object gets a block of its own, and the rest of the one in use stays in use. Under the
 * sanitizers and valgrind every object gets one, so that they see each step over its end. */
static void *alloc_slowly(arena *a, size_t size)
{
    const size_t need = sizeof(struct arena_block) + size;
    const bool alone = need > BLOCK || mem_each_its_own;
    struct arena_block *b = block_get(alone ? need : BLOCK);

    b->next = a->blocks;
    a->blocks = b;
    if (!alone) {
        a->next = (char *)b->room + size;
        a->end = (char *)b + BLOCK;
    }
    return memset(b->room, 0, size);
}

void *arena_alloc(arena *a, size_t size)
{
    char *at = (char *)(((uintptr_t)a->next + ALIGN - 1) & ~(uintptr_t)(ALIGN - 1));

    if (!a->next || at > a->end || (size_t)(a->end - at) < size)
        return alloc_slowly(a, size);
    a->next = at + size;
    return memset(at, 0, size);
}

char *arena_copy(arena *a, text t)
{
    char *copy = arena_alloc(a, t.length + 1);
    memcpy(copy, t.at, t.length);
    return copy;
}

char *arena_printf(arena *a, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    const int length = vsnprintf(NULL, 0, format, args);
    char *out = arena_alloc(a, (size_t)length + 1);
    vsnprintf(out, (size_t)length + 1, format, again);
    va_end(again);
    va_end(args);
    return out;
}

void arena_defer(arena *a, void (*end)(void *), void *arg)
{
    struct arena_ending *e = arena_alloc(a, sizeof *e);
    *e = (struct arena_ending){ a->endings, end, arg };
    a->endings = e;
}

void arena_done(arena *a)
{
    for (struct arena_ending *e; (e = a->endings);) {        /* an ending may defer another */
        a->endings = e->next;
        e->end(e->arg);
    }
    for (struct arena_block *b = a->blocks, *next; b; b = next) {
        next = b->next;
        block_put(b);
    }
    *a = (arena){ 0 };
}

void arena_trim(void)
{
    for (struct arena_block *b; (b = kept.first);) {
        kept.first = b->next;
        mem_free(b);
    }
    kept.count = 0;
}
