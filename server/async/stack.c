/* stack.c - see stack.h. */
#include "stack.h"
#include "server/memory.h"

#include <errno.h>
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
    BATCH = 64,                              /* stacks in one mapping */
    WARM = 1024,                             /* free stacks of a thread that keep their touched pages */
    GUARD = 16 * 1024,                       /* wider than any frame: one page could be stepped over */
};

struct batch { struct batch *next; char *low; size_t length; };

/* One thread's stacks; they are all of one size, and one of another is mapped by itself. */
static _Thread_local struct {
    size_t        size;
    stack        *free;                      /* last in first out: the first of them are the cold ones */
    int           count, capacity;
    struct batch *batches;
} here;

static size_t guard_size(void)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    return page > GUARD ? page : GUARD;
}

static int fence(void *low, size_t size)
{
    if (madvise(low, size, MADV_GUARD_INSTALL) == 0)
        return 0;
    return mprotect(low, size, PROT_NONE) == 0 ? 0 : -errno;
}

/* Maps count stacks in a row, each with its guard below it. */
static int map(size_t size, int count, char **low)
{
    const size_t guard = guard_size(), step = guard + size, length = step * (size_t)count;
    char *p = mmap(NULL, length, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED)
        return -errno;
    madvise(p, length, MADV_NOHUGEPAGE);     /* one touched page must not become two megabytes */
    for (int i = 0; i < count; i++) {
        int err = fence(p + step * (size_t)i, guard);
        if (err) {
            munmap(p, length);
            return err;
        }
    }
    *low = p;
    return 0;
}

static stack stack_at(char *low, size_t size)
{
    stack s = { .base = low + guard_size(), .size = size };
    s.valgrind_id = VALGRIND_STACK_REGISTER(s.base, s.base + size);
    return s;
}

static void unmap(stack *s)
{
    VALGRIND_STACK_DEREGISTER(s->valgrind_id);
    munmap(s->base - guard_size(), s->size + guard_size());
}

static void push(stack s)
{
    if (here.count == here.capacity) {
        here.capacity = here.capacity ? 2 * here.capacity : BATCH;
        here.free = mem_resize(here.free, (size_t)here.capacity * sizeof *here.free);
    }
    here.free[here.count++] = s;
}

static int add_batch(void)
{
    const size_t step = guard_size() + here.size;
    struct batch *b = mem_alloc(sizeof *b);
    int err = map(here.size, BATCH, &b->low);
    if (err) {
        mem_free(b);
        return err;
    }
    b->length = step * BATCH;
    b->next = here.batches;
    here.batches = b;
    for (int i = 0; i < BATCH; i++)
        push(stack_at(b->low + step * (size_t)i, here.size));
    return 0;
}

#ifdef MARK_STACKS
enum { MARK = 0xa5 };

static void mark(stack *s) { memset(s->base, MARK, s->size); }

size_t stack_used(const stack *s)
{
    size_t unused = 0;
    while (unused < s->size && (unsigned char)s->base[unused] == MARK)
        unused++;
    return s->size - unused;
}
#else
static void mark(stack *s) { (void)s; }

size_t stack_used(const stack *s)
{
    (void)s;
    return 0;
}
#endif

int stack_get(stack *s, size_t size)
{
    if (here.count == 0 && !here.batches)
        here.size = size;
    if (size == here.size && !mem_each_its_own && (here.count > 0 || add_batch() == 0)) {
        *s = here.free[--here.count];
        mark(s);
        return 0;
    }
    char *low;
    int err = map(size, 1, &low);
    if (!err) {
        *s = stack_at(low, size);
        s->alone = true;
        mark(s);
    }
    return err;
}

bool stack_guards(const stack *s, const void *address)
{
    const char *at = address;
    return at < s->base && at >= s->base - guard_size();
}

void stack_put(stack *s)
{
    if (s->alone) {
        unmap(s);
        return;
    }
    if (here.count >= WARM)
        madvise(s->base, s->size, MADV_DONTNEED);
    push(*s);
}

void stack_trim(void)
{
    while (here.count > 0)
        VALGRIND_STACK_DEREGISTER(here.free[--here.count].valgrind_id);
    for (struct batch *b = here.batches, *next; b; b = next) {
        next = b->next;
        munmap(b->low, b->length);
        mem_free(b);
    }
    mem_free(here.free);
    here.free = NULL;
    here.count = here.capacity = 0;
    here.batches = NULL;
}
