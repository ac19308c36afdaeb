/* stack.c - see stack.h. */
#include "stack.h"
#include "server/base/list.h"
#include "server/base/memory.h"
#include "server/base/reserve.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#ifdef USE_VALGRIND
#include <valgrind/valgrind.h>
#else
#define VALGRIND_STACK_REGISTER(low, high) 0
#define VALGRIND_STACK_DEREGISTER(id)      ((void)(id))
#endif
#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102               /* from Linux 6.13's headers */
#endif

enum {
    BATCH = 64,                              /* stacks in one mapping, and how many are cooled at once */
    GUARD = 16 * 1024,                       /* wider than any frame: one page could be stepped over */
    LEAST = RESERVE_LEAST / 4096,            /* free ones that stay warm; most touch one page */
};

struct batch { struct batch *next; char *low; size_t length; list_node among; };

static pthread_mutex_t all_lock = PTHREAD_MUTEX_INITIALIZER;
static list all_batches;                     /* of all threads */

static bool stacks_age(reserve *r);
static bool stacks_give_back(reserve *r);

/* One thread's stacks; they are all of one size, and one of another is mapped by itself.
 *
 *     free:  0 ... cold ... idle ... count     the last is taken first
 *            no pages  |  not used for a period  |  in use lately */
static _Thread_local struct {
    reserve       reserve;
    size_t        size;
    char        **free;                      /* their bases */
    int           count, mapped, capacity;   /* of mapped, which there are, count are free; there is room for more */
    int           cold, idle;
    int           low;                       /* the lowest count of this period */
    struct batch *batches;
} here = { .reserve = { stacks_age, stacks_give_back } };

static size_t guard_size(void)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    return page > GUARD ? page : GUARD;
}

static int stack_fence(void *low, size_t size)
{
    if (madvise(low, size, MADV_GUARD_INSTALL) == 0)
        return 0;
    return mprotect(low, size, PROT_NONE) == 0 ? 0 : -errno;
}

/* Maps count stacks in a row, each with its guard below it. */
static int stack_map(size_t size, int count, char **low)
{
    const size_t guard = guard_size(), step = guard + size, length = step * (size_t)count;
    char *p = mmap(NULL, length, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED)
        return -errno;
    madvise(p, length, MADV_NOHUGEPAGE);     /* one touched page must not become two megabytes */
    for (int i = 0; i < count; i++) {
        int err = stack_fence(p + step * (size_t)i, guard);
        if (err) {
            munmap(p, length);
            return err;
        }
    }
    *low = p;
    return 0;
}

static int stacks_add_batch(void)
{
    struct batch *b = mem_alloc(sizeof *b);
    const size_t step = guard_size() + here.size;
    int err = stack_map(here.size, BATCH, &b->low);
    if (err) {
        mem_free(b);
        return err;
    }
    b->length = BATCH * step;
    b->next = here.batches;
    here.batches = b;
    pthread_mutex_lock(&all_lock);
    list_push(&all_batches, &b->among);
    pthread_mutex_unlock(&all_lock);
    here.mapped += BATCH;
    if (here.mapped > here.capacity) {
        here.capacity = here.capacity ? 2 * here.capacity : BATCH;
        here.free = mem_resize(here.free, (size_t)here.capacity * sizeof *here.free);
    }
    for (int i = BATCH - 1; i >= 0; i--)
        here.free[here.count++] = b->low + step * (size_t)i + guard_size();
    here.cold = here.idle = here.low = here.count;           /* there were none */
    return 0;
}

#ifdef MARK_STACKS
enum { MARK = 0xa5 };

static void stack_mark(stack *s) { memset(s->base, MARK, s->size); }

size_t stack_used(const stack *s)
{
    size_t unused = 0;
    while (unused < s->size && (unsigned char)s->base[unused] == MARK)
        unused++;
    return s->size - unused;
}
#else
static void stack_mark(stack *s) { (void)s; }

size_t stack_used(const stack *s)
{
    (void)s;
    return 0;
}
#endif

static char *stacks_take(void)
{
    const int count = --here.count;
    if (count < here.low) {
        here.low = count;
        here.idle = here.idle < count ? here.idle : count;
        here.cold = here.cold < count ? here.cold : count;
    }
    return here.free[count];
}

int stack_get(stack *s, size_t size)
{
    if (!here.batches)
        here.size = size;
    if (size == here.size && !RESERVE_NOTHING && (here.count > 0 || stacks_add_batch() == 0)) {
        *s = (stack){ .base = stacks_take(), .size = size };
        stack_mark(s);
        return 0;
    }
    char *low = NULL;
    int err = stack_map(size, 1, &low);
    if (!err) {
        *s = (stack){ .base = low + guard_size(), .size = size, .alone = true };
        s->valgrind_id = VALGRIND_STACK_REGISTER(s->base, s->base + size);
        stack_mark(s);
    }
    return err;
}

bool stack_guards(const stack *s, const void *address)
{
    const char *at = address;
    return at < s->base && at >= s->base - guard_size();
}

static int by_address(const void *a, const void *b)
{
    char *const *one = a, *const *other = b;
    return (*one > *other) - (*one < *other);
}

/* The pages of so many of the longest idle go back to the kernel: those of neighbours in one call, for most
 * of what it costs is the call. The guards between them stay. */
static void stacks_cool(int count)
{
    char **const first = here.free + here.cold, **const end = first + count;
    qsort(first, (size_t)count, sizeof *first, by_address);
    for (char **from = first, **to; from < end; from = to) {
        for (to = from + 1; to < end && *to == to[-1] + here.size + guard_size();)
            to++;
        madvise(*from, (size_t)(to[-1] - *from) + here.size, MADV_DONTNEED);
    }
    here.cold += count;
}

static bool stacks_age(reserve *r)
{
    (void)r;
    here.idle = here.low;
    here.low = here.count;
    return here.count - here.cold > LEAST;
}

static bool stacks_give_back(reserve *r)
{
    (void)r;
    const int stay = here.count - LEAST, idle = (here.idle < stay ? here.idle : stay) - here.cold;
    if (idle <= 0)
        return false;
    stacks_cool(idle < BATCH ? idle : BATCH);
    return true;
}

void stack_put(stack *s)
{
    if (s->alone) {
        VALGRIND_STACK_DEREGISTER(s->valgrind_id);
        munmap(s->base - guard_size(), s->size + guard_size());
        return;
    }
    here.free[here.count++] = s->base;
    if (here.count - here.cold > LEAST && !here.reserve.watched && !reserve_watch(&here.reserve))
        stacks_cool(1);
}

size_t stacks_resident(void)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    unsigned char in_memory[4096];
    size_t pages = 0;
    pthread_mutex_lock(&all_lock);
    for (const list_node *n = all_batches.first; n; n = n->next) {
        const struct batch *b = container_of(n, struct batch, among);
        for (size_t at = 0; at < b->length; at += sizeof in_memory * page) {
            const size_t length = b->length - at < sizeof in_memory * page ? b->length - at : sizeof in_memory * page;
            if (mincore(b->low + at, length, in_memory))
                continue;
            for (size_t i = 0; i < length / page; i++)
                pages += in_memory[i] & 1;
        }
    }
    pthread_mutex_unlock(&all_lock);
    return pages * page;
}

void stack_trim(void)
{
    reserve_unwatch(&here.reserve);
    for (struct batch *b = here.batches, *next; b; b = next) {
        next = b->next;
        pthread_mutex_lock(&all_lock);
        list_remove(&b->among);
        munmap(b->low, b->length);
        pthread_mutex_unlock(&all_lock);
        mem_free(b);
    }
    mem_free(here.free);
    here.free = NULL;
    here.batches = NULL;
    here.count = here.mapped = here.capacity = here.cold = here.idle = here.low = 0;
}
