/* memory.c - see memory.h. */
#include "memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || defined(USE_VALGRIND)
#define EACH_ITS_OWN 1
#elif defined(__has_feature)                 /* clang spells it this way */
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define EACH_ITS_OWN 1
#endif
#endif

enum { FIRST_SLAB = 1024, SLAB = 64 * 1024 };

static void *checked(void *p, size_t size)
{
    if (!p && size) {
        fprintf(stderr, "tenk: out of memory (asked for %zu bytes)\n", size);
        abort();
    }
    return p;
}

void *mem_alloc(size_t size)             { return checked(calloc(1, size), size); }
void *mem_resize(void *p, size_t size)   { return checked(realloc(p, size), size); }
char *mem_copy(const char *text)         { return checked(strdup(text), strlen(text) + 1); }
void  mem_free(void *p)                  { free(p); }

struct pool_free { struct pool_free *next; };
struct pool_slab { struct pool_slab *next; max_align_t objects[]; };

#ifdef EACH_ITS_OWN

const bool mem_each_its_own = true;

void *pool_get(pool *p)              { return checked(malloc(p->size), p->size); }
void  pool_put(pool *p, void *object) { (void)p; free(object); }
void  pool_done(pool *p)             { (void)p; }
void  pool_done_all(void)            { }

#else

const bool mem_each_its_own = false;

static _Thread_local pool *with_slabs;       /* linked by other */

static void *from_new_slab(pool *p)
{
    const size_t least = sizeof(struct pool_slab) + p->size + 7;     /* some objects are larger than a slab */
    if (!p->slabs) {
        p->other = with_slabs;
        with_slabs = p;
    }
    p->slab = !p->slab ? FIRST_SLAB : p->slab < SLAB ? p->slab * 2 : SLAB;
    const size_t size = least > p->slab ? least : p->slab;
    struct pool_slab *slab = checked(malloc(size), size);
    slab->next = p->slabs;
    p->slabs = slab;
    p->next = (char *)slab->objects;
    p->end = (char *)slab + size;
    return pool_get(p);
}

void *pool_get(pool *p)
{
    struct pool_free *object = p->free;
    if (object) {
        p->free = object->next;
        return object;
    }
    const size_t size = (p->size + 7) & ~(size_t)7;
    if ((size_t)(p->end - p->next) < size)
        return from_new_slab(p);
    void *fresh = p->next;
    p->next += size;
    return fresh;
}

void pool_put(pool *p, void *object)
{
    struct pool_free *used = object;
    used->next = p->free;
    p->free = used;
}

void pool_done(pool *p)
{
    for (pool **at = &with_slabs; *at; at = &(*at)->other)
        if (*at == p) {
            *at = p->other;
            break;
        }
    while (p->slabs) {
        struct pool_slab *slab = p->slabs;
        p->slabs = slab->next;
        free(slab);
    }
    p->free = NULL;
    p->next = p->end = NULL;
    p->slab = 0;
}

void pool_done_all(void)
{
    while (with_slabs)
        pool_done(with_slabs);
}

#endif
