/* fiber.c - see fiber.h. */
#include "fiber.h"

#include <stddef.h>
#if SANITIZES_ADDRESSES
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#if SANITIZES_THREADS
#include <sanitizer/tsan_interface.h>
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
        __tsan_destroy_fiber(f->itself);
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
    __tsan_switch_to_fiber(f->itself, 0);
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
    __tsan_switch_to_fiber(f->caller_itself, 0);
#endif
    context_switch(&f->here, f->caller);
#if SANITIZES_ADDRESSES
    __sanitizer_finish_switch_fiber(f->fake_stack, &f->caller_base, &f->caller_size);
#endif
}
