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

enum { KEEP = 1024 };                        /* free stacks a thread holds on to: at most KEEP touched pages or two */

static _Thread_local struct { stack kept[KEEP]; int count; } used;

static size_t page_size(void)
{
    static size_t size;
    return size ? size : (size = (size_t)sysconf(_SC_PAGESIZE));
}

static int guard(void *page, size_t size)
{
    if (madvise(page, size, MADV_GUARD_INSTALL) == 0)
        return 0;
    return mprotect(page, size, PROT_NONE) == 0 ? 0 : -errno;
}

int stack_get(stack *s, size_t size)
{
    if (used.count > 0 && used.kept[used.count - 1].size == size) {
        *s = used.kept[--used.count];
        return 0;
    }
    const size_t page = page_size();
    char *p = mmap(NULL, size + page, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED)
        return -errno;
    int err = guard(p, page);
    if (err) {
        munmap(p, size + page);
        return err;
    }
    *s = (stack){ .base = p + page, .size = size };
    s->valgrind_id = VALGRIND_STACK_REGISTER(s->base, s->base + size);
    return 0;
}

static void unmap(stack *s)
{
    VALGRIND_STACK_DEREGISTER(s->valgrind_id);
    munmap(s->base - page_size(), s->size + page_size());
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
