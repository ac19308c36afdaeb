/* stack.h - task stacks: big in address space, small in memory, fenced by a guard.
 *
 * A stack is lazily touched mmap with 16 KiB below it that may not be touched, so that an overflow
 * faults instead of corrupting a neighbour. The guard is MADV_GUARD_INSTALL where the kernel has it
 * (Linux 6.13; it costs no mapping), else mprotect (each splits a mapping, and vm.max_map_count ends
 * that at about 32,000 stacks). Stacks are mapped by the dozen, and used ones go back to this
 * thread's free list, the one put last on top, so a busy server asks the kernel for none. The pages of
 * those that have long been idle go back to the kernel: see server/base/reserve.h. */
#ifndef STACK_H
#define STACK_H

#include <stdbool.h>
#include <stddef.h>

typedef struct stack {
    char    *base;                           /* lowest usable byte */
    size_t   size;                           /* usable bytes */
    unsigned valgrind_id;
    bool     alone;                          /* in a mapping of its own */
} stack;

int  stack_get(stack *s, size_t size);       /* 0, or a negative error when the kernel refuses */
void stack_put(stack *s);                    /* returns it to the free list */
bool stack_guards(const stack *s, const void *address);      /* is that in the guard below it? */

/* The bytes of it that have ever been used, since stack_get; 0 in a build that does not mark stacks
 * (-DMARK_STACKS), for it writes to all of each. */
size_t stack_used(const stack *s);

/* Bytes of all threads' stacks that are in memory, those that are kept for reuse included; of stacks that are mapped one by
 * one, as with RESERVE_NOTHING, none. From any thread; it takes some microseconds for each dozen stacks. */
size_t stacks_resident(void);

void stack_trim(void);                       /* gives this thread's free stacks back to the kernel */

#endif
