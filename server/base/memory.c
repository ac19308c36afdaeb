/* memory.c - see memory.h. */
#include "memory.h"
#include "freelist.h"
#include "log.h"
#include "machine.h"
#include "spare_memory.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || defined(USE_VALGRIND)
#define EACH_ITS_OWN 1
#elif defined(__has_feature)                 /* clang spells it this way */
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define EACH_ITS_OWN 1
#endif
#endif

enum { FIRST_SLAB = 1024, LARGER = 4, SLAB = 64 * 1024, AT_ONCE = 64, LEFT_TO_OTHERS = 16 * 1024 * 1024 };

static bool limited;                         /* by RLIMIT_AS or RLIMIT_DATA, from the start */

static void die(size_t size)
{
    char words[96];
    log_last_words(words, (size_t)snprintf(words, sizeof words, "tenk: out of memory (asked for %zu bytes)\n", size));
    abort();
}

/* realloc, and if it fails once more with what was spared for that. A size of 0 is none to fail with. */
static void *resize(void *p, size_t size)
{
    void *larger;
    while (!(larger = realloc(p, size)) && size && spare_memory_release())
        ;
    return larger;
}

void *mem_resize(void *p, size_t size)
{
    void *larger = resize(p, size);
    if (!larger && size)
        die(size);
    return larger;
}

void *mem_alloc(size_t size)
{
    void *p = calloc(1, size);
    return p || !size ? p : memset(mem_resize(NULL, size), 0, size);
}

char *mem_copy(const char *text)
{
    const size_t size = strlen(text) + 1;
    return memcpy(mem_resize(NULL, size), text, size);
}

void mem_free(void *p) { free(p); }

/* libuv aborts where it gets no memory for what it has no error for. */

static void *uv_alloc(size_t size) { return resize(NULL, size); }

static void *uv_alloc_zeroed(size_t count, size_t size)
{
    void *p = calloc(count, size);
    if (p || !count || size > SIZE_MAX / count)
        return p;
    p = resize(NULL, count * size);
    return p ? memset(p, 0, count * size) : NULL;
}

void mem_begin(void)
{
    spare_memory_set_aside();
    limited = machine_memory_left() < UINT64_MAX;
    uv_replace_allocator(uv_alloc, resize, uv_alloc_zeroed, free);
}

bool mem_is_short(void) { return spare_memory_is_short(); }

bool mem_has(size_t size)
{
    return !limited || (!mem_is_short() && machine_memory_left() >= size + LEFT_TO_OTHERS);
}

struct pool_free { struct pool_free *next; };

struct pool_slab {
    struct pool_slab *next;
    size_t            size;                  /* bytes of it, this included */
    struct pool_free *free;                  /* objects that have come back to it */
    uint32_t          back, made;            /* of those made of it, back have come back; see made_of */
    max_align_t       objects[];
};

#ifdef EACH_ITS_OWN

const bool mem_each_its_own = true;

void *pool_get(pool *p)              { return mem_resize(NULL, p->size); }
void  pool_put(pool *p, void *object) { (void)p; free(object); }
void  pool_done(pool *p)             { (void)p; }
void  pool_done_all(void)            { }
bool  pool_age(reserve *r)           { (void)r; return false; }
bool  pool_give_back(reserve *r)     { (void)r; return false; }

#else

const bool mem_each_its_own = false;

static _Thread_local pool    *with_slabs;    /* linked by other */
static _Thread_local freelist empty_slabs = FREELIST((size_t)SLAB, free);    /* of all pools of this thread */

static size_t room_of(const pool *p) { return (p->size + 7) & ~(size_t)7; }

static struct pool_slab *slab_new(pool *p)
{
    const size_t least = sizeof(struct pool_slab) + room_of(p);              /* some objects are larger than a slab */
    p->slab = !p->slab ? FIRST_SLAB : p->slab < SLAB ? p->slab * LARGER : SLAB;
    const size_t size = least > p->slab ? least : p->slab;
    struct pool_slab *slab = size == SLAB ? freelist_get(&empty_slabs) : NULL;
    if (!slab)
        slab = mem_resize(NULL, size);
    p->large += size >= SLAB;
    *slab = (struct pool_slab){ .next = p->slabs, .size = size };
    return slab;
}

static void *from_new_slab(pool *p)
{
    if (!p->slab) {
        p->other = with_slabs;
        with_slabs = p;
    }
    struct pool_slab *slab = p->newest = p->slabs = slab_new(p);
    slab->made = (uint32_t)((slab->size - sizeof *slab) / room_of(p));
    p->next = (char *)slab->objects;
    p->end = (char *)slab + slab->size;
    return pool_get(p);
}

/* What has come back to the slab that has most of its objects in use: so the others become empty. */
static struct pool_free *come_back(pool *p)
{
    struct pool_slab *fullest = NULL;
    for (struct pool_slab *s = p->slabs; s; s = s->next)
        if (s->free && (!fullest || s->made - s->back > fullest->made - fullest->back))
            fullest = s;
    if (!fullest)
        return NULL;
    struct pool_free *all = fullest->free;
    fullest->free = NULL;
    fullest->back = 0;
    return all;
}

void *pool_get(pool *p)
{
    struct pool_free *object = p->free;
    if (object) {
        p->free = object->next;
        return object;
    }
    const size_t size = room_of(p);
    if ((size_t)(p->end - p->next) >= size) {
        void *fresh = p->next;
        p->next += size;
        return fresh;
    }
    p->free = p->returning ? p->returning : come_back(p);
    p->returning = NULL;
    return p->free ? pool_get(p) : from_new_slab(p);
}

void pool_put(pool *p, void *object)
{
    struct pool_free *used = object;
    used->next = p->free;
    p->free = used;
    if (!used->next && p->large > 0 && !p->reserve.watched)
        reserve_watch(&p->reserve);
}

/* Whatever is free, and not only what has long been, returns to its slab: it is nothing but a list. The
 * slabs that are empty are what is kept for a while, by the list of those. */
bool pool_age(reserve *r)
{
    pool *p = (pool *)r;
    if (!p->returning) {
        p->returning = p->free;
        p->free = NULL;
    }
    return p->returning != NULL;
}

/* The slab of that object goes to the front: the next object is likely to be of it, too. */
static struct pool_slab *find_slab(pool *p, const void *object)
{
    struct pool_slab **at = &p->slabs, *slab;
    while ((slab = *at), (const char *)object < (char *)slab || (const char *)object >= (char *)slab + slab->size)
        at = &slab->next;
    *at = slab->next;
    slab->next = p->slabs;
    return p->slabs = slab;
}

static uint32_t made_of(const pool *p, const struct pool_slab *slab)
{
    return slab != p->newest ? slab->made : (uint32_t)((size_t)(p->next - (char *)slab->objects) / room_of(p));
}

/* Those that are smaller stay: they are few. */
static void slab_emptied(pool *p, struct pool_slab *slab)
{
    if (slab->size < SLAB)
        return;
    p->slabs = slab->next;                   /* it is the first */
    p->large--;
    if (slab == p->newest) {
        p->newest = NULL;
        p->next = p->end = NULL;
    }
    if (slab->size == SLAB)
        freelist_put(&empty_slabs, slab);
    else
        free(slab);
}

bool pool_give_back(reserve *r)
{
    pool *p = (pool *)r;
    for (int i = 0; i < AT_ONCE && p->returning; i++) {
        struct pool_free *object = p->returning;
        p->returning = object->next;
        struct pool_slab *slab = find_slab(p, object);
        object->next = slab->free;
        slab->free = object;
        if (++slab->back == made_of(p, slab))
            slab_emptied(p, slab);
    }
    return p->returning != NULL;
}

void pool_done(pool *p)
{
    reserve_unwatch(&p->reserve);
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
    *p = (pool){ .reserve = p->reserve, .size = p->size };
}

void pool_done_all(void)
{
    while (with_slabs)
        pool_done(with_slabs);
    freelist_done(&empty_slabs);
}

#endif
