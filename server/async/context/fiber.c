/* fiber.c - see fiber.h. */
#include "fiber.h"

#include <stddef.h>
#if SANITIZES_ADDRESSES
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#if SANITIZES_THREADS
#include <sanitizer/tsan_interface.h>
#include <signal.h>
#endif

#if SANITIZES_THREADS
/* ThreadSanitizer runs a signal's handler at the next call that it intercepts, and keeps the signal with the fiber that it came
 * to until then: so there must be none when that is left, or it is lost with a fiber that never goes on. To block signals is
 * such a call. Both are inlined, for the tool counts what a fiber enters and leaves. */
static inline __attribute__((always_inline)) void tool_switch(void *to)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    __tsan_switch_to_fiber(to, 0);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* It is on the fiber for the time of that. */
static inline __attribute__((always_inline)) void tool_destroy(void *itself)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    __tsan_destroy_fiber(itself);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}
#endif

void fiber_init(fiber *f, stack s, void *top, void (*entry)(void *), void *arg)
{
    *f = (fiber){ .stack = s, .here = context_make(s.base, (size_t)((char *)top - s.base), entry, arg) };
}

void fiber_done(fiber *f)
{
    stack s = f->stack;                      /* f may lie on it */
#if SANITIZES_THREADS
    if (f->itself)
        tool_destroy(f->itself);
#endif
#if SANITIZES_ADDRESSES
    __asan_unpoison_memory_region(s.base, s.size);           /* frames that never returned left marks */
#endif
    stack_put(&s);
}

void fiber_enter(fiber *f)
{
#if SANITIZES_ADDRESSES
    void *fake;
    __sanitizer_start_switch_fiber(&fake, f->stack.base, f->stack.size);
#endif
#if SANITIZES_THREADS
    if (!f->itself)
        f->itself = __tsan_create_fiber(0);
    f->caller_itself = __tsan_get_current_fiber();
    tool_switch(f->itself);
#endif
    context_switch(&f->caller, f->here);
#if SANITIZES_ADDRESSES
    __sanitizer_finish_switch_fiber(fake, NULL, NULL);
#endif
}

void fiber_begin(fiber *f)
{
#if SANITIZES_ADDRESSES
    __sanitizer_finish_switch_fiber(NULL, &f->caller_base, &f->caller_size);
#else
    (void)f;
#endif
}

void fiber_leave(fiber *f, bool for_good)
{
#if SANITIZES_ADDRESSES
    __sanitizer_start_switch_fiber(for_good ? NULL : &f->fake_stack, f->caller_base, f->caller_size);
#else
    (void)for_good;
#endif
#if SANITIZES_THREADS
    tool_switch(f->caller_itself);
#endif
    context_switch(&f->here, f->caller);
#if SANITIZES_ADDRESSES
    __sanitizer_finish_switch_fiber(f->fake_stack, &f->caller_base, &f->caller_size);
#endif
}
