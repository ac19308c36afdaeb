/* stack.c - see stack.h. */
#include "stack.h"
#include "server/memory.h"

#include <errno.h>
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
    KEEP = 1024,                             /* free stacks that a thread holds on to, a touched page or two each */
    GUARD = 16 * 1024
};

static _Thread_local struct { stack kept[KEEP]; int count; } used;

/* Wider than any frame on the way to a fault: one page could be stepped over. */
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

int stack_get(stack *s, size_t size)
{
    if (used.count > 0 && used.kept[used.count - 1].size == size) {
        *s = used.kept[--used.count];
        return 0;
    }
    const size_t guard = guard_size();
    char *p = mmap(NULL, size + guard, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED)
        return -errno;
    int err = fence(p, guard);
    if (err) {
        munmap(p, size + guard);
        return err;
    }
    *s = (stack){ .base = p + guard, .size = size };
    s->valgrind_id = VALGRIND_STACK_REGISTER(s->base, s->base + size);
    return 0;
}

static void unmap(stack *s)
{
    VALGRIND_STACK_DEREGISTER(s->valgrind_id);
    munmap(s->base - guard_size(), s->size + guard_size());
}

void stack_put(stack *s)
{
    if (used.count < KEEP && !mem_each_its_own)
        used.kept[used.count++] = *s;
    else
        unmap(s);
}

void stack_trim(void)
{
    while (used.count > 0)
        unmap(&used.kept[--used.count]);
}
