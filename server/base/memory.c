/* memory.c - see memory.h. */
#include "memory.h"
#include "list.h"
#include "log.h"
#include "machine.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <uv.h>

enum { PARTS = 16, PART = 1024 * 1024 };     /* a part is what glibc asks for when a heap cannot grow in place */
enum { FIRST_SLAB = 1024, LARGER = 4, SLAB = 64 * 1024, AT_ONCE = 64, LEFT_TO_OTHERS = 16 * 1024 * 1024 };

static bool limited;                         /* by RLIMIT_AS or RLIMIT_DATA, from the start */

/* Memory set aside for the day when the system gives no more: an allocation that fails takes of it. It is address space
 * only, and costs none of the machine's memory. */

static struct {
    pthread_mutex_t lock;
    void           *parts[PARTS];            /* the first of them are there */
    int             count;
    atomic_bool     is_short;
} spare = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* Under the lock. Data, and never touched: so every kind of limit counts it. */
static void spare_fill(void)
{
    while (spare.count < PARTS) {
        void *part = mmap(NULL, PART, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (part == MAP_FAILED)
            return;
        spare.parts[spare.count++] = part;
    }
    atomic_store(&spare.is_short, false);
}

/* Gives a part of it to the system; false: there is none left. */
static bool spare_release(void)
{
    pthread_mutex_lock(&spare.lock);
    const bool any = spare.count > 0;
    if (any) {
        munmap(spare.parts[--spare.count], PART);
        atomic_store(&spare.is_short, true);
    }
    pthread_mutex_unlock(&spare.lock);
    return any;
}

bool mem_is_short(void)
{
    if (!atomic_load_explicit(&spare.is_short, memory_order_relaxed))
        return false;
    if (pthread_mutex_trylock(&spare.lock) == 0) {           /* else another thread looks, or needs it just now */
        spare_fill();
        pthread_mutex_unlock(&spare.lock);
    }
    return atomic_load(&spare.is_short);
}

/* realloc, and if it fails once more with what was spared for that. A size of 0 is none to fail with. */
static void *mem_try_resize(void *p, size_t size)
{
    void *larger;
    while (!(larger = realloc(p, size)) && size && spare_release())
        ;
    return larger;
}

void *mem_resize(void *p, size_t size)
{
    void *larger = mem_try_resize(p, size);
    if (!larger && size) {
        char words[96];
        log_last_words(words, (size_t)snprintf(words, sizeof words, "tenk: out of memory (asked for %zu bytes)\n", size));
        abort();
    }
    return larger;
}

void *mem_alloc(size_t size)
{
    void *p = calloc(1, size);
    if (p || !size)
        return p;
    return memset(mem_resize(NULL, size), 0, size);
}

char *mem_copy(const char *text)
{
    const size_t size = strlen(text) + 1;
    return memcpy(mem_resize(NULL, size), text, size);
}

void mem_free(void *p) { free(p); }

/* libuv aborts where it gets no memory for what it has no error for. */

static void *uv_alloc(size_t size) { return mem_try_resize(NULL, size); }

static void *uv_alloc_zeroed(size_t count, size_t size)
{
    void *p = calloc(count, size);
    if (p || !count || size > SIZE_MAX / count)
        return p;
    p = mem_try_resize(NULL, count * size);
    return p ? memset(p, 0, count * size) : NULL;
}

void mem_begin(void)
{
    spare_fill();
    limited = machine_memory_left() < UINT64_MAX;
    uv_replace_allocator(uv_alloc, mem_try_resize, uv_alloc_zeroed, free);
}

bool mem_has(size_t size)
{
    return !limited || (!mem_is_short() && machine_memory_left() >= size + LEFT_TO_OTHERS);
}

struct pool_free { struct pool_free *next; };

struct pool_slab {
    struct pool_slab *next;
    size_t            size;                  /* bytes of it, this included */
    struct pool_free *free;                  /* objects that have come back to it */
    uint32_t          back, made;            /* of those made of it, back have come back; see pool_made_of */
    max_align_t       objects[];
};

#if RESERVE_NOTHING

void *pool_get(pool *p)              { return mem_resize(NULL, p->size); }
void  pool_put(pool *p, void *object) { (void)p; free(object); }
void  pool_done(pool *p)             { (void)p; }
void  pool_done_all(void)            {}
bool  pool_age(reserve *r)           { (void)r; return false; }
bool  pool_give_back(reserve *r)     { (void)r; return false; }

#else

static _Thread_local pool    *with_slabs;    /* linked by other */
static _Thread_local freelist empty_slabs = FREELIST((size_t)SLAB, free);    /* of all pools of this thread */

static size_t pool_room_of(const pool *p) { return (p->size + 7) & ~(size_t)7; }

static struct pool_slab *pool_new_slab(pool *p)
{
    const size_t least = sizeof(struct pool_slab) + pool_room_of(p);              /* some objects are larger than a slab */
    p->slab = !p->slab ? FIRST_SLAB : p->slab < SLAB ? p->slab * LARGER : SLAB;
    const size_t size = least > p->slab ? least : p->slab;
    struct pool_slab *slab = size == SLAB ? freelist_get(&empty_slabs) : NULL;
    if (!slab)
        slab = mem_resize(NULL, size);
    p->large += size >= SLAB;
    *slab = (struct pool_slab){ .next = p->slabs, .size = size };
    return slab;
}

static void *pool_get_from_new_slab(pool *p)
{
    if (!p->slab) {
        p->other = with_slabs;
        with_slabs = p;
    }
    struct pool_slab *slab = p->newest = p->slabs = pool_new_slab(p);
    slab->made = (uint32_t)((slab->size - sizeof *slab) / pool_room_of(p));
    p->next = (char *)slab->objects;
    p->end = (char *)slab + slab->size;
    return pool_get(p);
}

/* What has come back to the slab that has most of its objects in use: so the others become empty. */
static struct pool_free *pool_come_back(pool *p)
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
    const size_t size = pool_room_of(p);
    if ((size_t)(p->end - p->next) >= size) {
        void *fresh = p->next;
        p->next += size;
        return fresh;
    }
    p->free = p->returning ? p->returning : pool_come_back(p);
    p->returning = NULL;
    return p->free ? pool_get(p) : pool_get_from_new_slab(p);
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
    pool *p = container_of(r, pool, reserve);
    if (!p->returning) {
        p->returning = p->free;
        p->free = NULL;
    }
    return p->returning != NULL;
}

/* The slab of that object goes to the front: the next object is likely to be of it, too. */
static struct pool_slab *pool_find_slab(pool *p, const void *object)
{
    struct pool_slab **at = &p->slabs, *slab;
    while ((slab = *at), (const char *)object < (char *)slab || (const char *)object >= (char *)slab + slab->size)
        at = &slab->next;
    *at = slab->next;
    slab->next = p->slabs;
    return p->slabs = slab;
}

static uint32_t pool_made_of(const pool *p, const struct pool_slab *slab)
{
    return slab != p->newest ? slab->made : (uint32_t)((size_t)(p->next - (char *)slab->objects) / pool_room_of(p));
}

/* Those that are smaller stay: they are few. */
static void pool_slab_emptied(pool *p, struct pool_slab *slab)
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
    pool *p = container_of(r, pool, reserve);
    for (int i = 0; i < AT_ONCE && p->returning; i++) {
        struct pool_free *object = p->returning;
        p->returning = object->next;
        struct pool_slab *slab = pool_find_slab(p, object);
        object->next = slab->free;
        slab->free = object;
        if (++slab->back == pool_made_of(p, slab))
            pool_slab_emptied(p, slab);
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
