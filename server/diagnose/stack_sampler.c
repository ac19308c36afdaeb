/* stack_sampler.c - see stack_sampler.h. */
#include "stack_sampler.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <unwind.h>

enum { SILENT, ASKED, ANSWERED };

static _Thread_local stack_sampler *here;

/* What is above the signal's own frame is the handler's, and is dropped. */
static _Unwind_Reason_Code add_place(struct _Unwind_Context *frame, void *arg)
{
    stack_sample *t = arg;
    int exact = 0;
    const uintptr_t pc = _Unwind_GetIPInfo(frame, &exact);
    if (exact)
        t->count = 0;
    if (pc == 0 || t->count == STACK_SAMPLE_PLACES)
        return _URC_END_OF_STACK;
    t->places[t->count++] = pc - !exact;
    return _URC_NO_REASON;
}

static void on_asked(int number)
{
    stack_sampler *w = here;
    const int saved = errno;
    (void)number;
    if (!w || atomic_load(&w->state) != ASKED)
        return;
    w->said.beats = loop_activity_sequence(w->activity);
    w->said.on_behalf = *scope_here();
    w->said.count = 0;
    _Unwind_Backtrace(add_place, &w->said);
    atomic_store(&w->state, ANSWERED);
    errno = saved;
}

/* The unwinder prepares itself when it is first used, and may allocate then: not in the handler. */
static _Unwind_Reason_Code stop_at_once(struct _Unwind_Context *frame, void *arg)
{
    (void)frame, (void)arg;
    return _URC_END_OF_STACK;
}

void stack_sampler_install(void)
{
    _Unwind_Backtrace(stop_at_once, NULL);
    struct sigaction own = { .sa_handler = on_asked, .sa_flags = SA_ONSTACK | SA_RESTART };
    sigemptyset(&own.sa_mask);
    sigaction(SIGURG, &own, NULL);
}

void stack_sampler_begin(stack_sampler *w) { here = w; }
void stack_sampler_end(void)         { here = NULL; }

void stack_sampler_ask(stack_sampler *w, pthread_t thread)
{
    atomic_store(&w->state, ASKED);
    pthread_kill(thread, SIGURG);
}

bool stack_sampler_answer(stack_sampler *w, stack_sample *t)
{
    if (atomic_load(&w->state) != ANSWERED)
        return false;
    *t = w->said;
    atomic_store(&w->state, SILENT);
    return true;
}
