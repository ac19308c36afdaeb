/* signal_stack.c - see signal_stack.h. */
#include "signal_stack.h"

#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>

enum { SIZE = 64 * 1024 };                   /* a frame of a signal has 11 KiB with all of AMX */

static _Thread_local void *own;              /* NULL: none, or another's */

void signal_stack_begin(void)
{
    stack_t now;
    if (own || sigaltstack(NULL, &now) || !(now.ss_flags & SS_DISABLE))
        return;
    void *const p = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED)
        return;
    sigaltstack(&(stack_t){ .ss_sp = p, .ss_size = SIZE }, NULL);
    own = p;
}

void signal_stack_end(void)
{
    if (!own)
        return;
    sigaltstack(&(stack_t){ .ss_flags = SS_DISABLE, .ss_size = SIZE }, NULL);
    munmap(own, SIZE);
    own = NULL;
}
