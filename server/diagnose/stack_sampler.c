/* stack_sampler.c - see stack_sampler.h. */
#include "stack_sampler.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <unwind.h>

enum { SAMPLER_IDLE, SAMPLER_REQUESTED, SAMPLER_DONE };

static _Thread_local stack_sampler *here;

/* What is above the signal's own frame is the handler's, and is dropped. */
static _Unwind_Reason_Code sample_add_frame(struct _Unwind_Context *frame, void *arg)
{
    stack_sample *sample = arg;
    int exact = 0;
    const uintptr_t pc = _Unwind_GetIPInfo(frame, &exact);
    if (exact)
        sample->count = 0;
    if (pc == 0 || sample->count == STACK_SAMPLE_FRAMES)
        return _URC_END_OF_STACK;
    sample->frames[sample->count++] = pc - !exact;
    return _URC_NO_REASON;
}

static void sampler_on_signal(int number)
{
    stack_sampler *s = here;
    const int saved = errno;
    (void)number;
    if (!s || atomic_load(&s->state) != SAMPLER_REQUESTED)
        return;
    s->sample.sequence = loop_activity_sequence(s->activity);
    s->sample.on_behalf = *scope_here();
    s->sample.count = 0;
    _Unwind_Backtrace(sample_add_frame, &s->sample);
    atomic_store(&s->state, SAMPLER_DONE);
    errno = saved;
}

/* The unwinder prepares itself when it is first used, and may allocate then: not in the handler. */
static _Unwind_Reason_Code unwind_nothing(struct _Unwind_Context *frame, void *arg)
{
    (void)frame, (void)arg;
    return _URC_END_OF_STACK;
}

void stack_sampler_install(void)
{
    _Unwind_Backtrace(unwind_nothing, NULL);
    struct sigaction own = { .sa_handler = sampler_on_signal, .sa_flags = SA_ONSTACK | SA_RESTART };
    sigemptyset(&own.sa_mask);
    sigaction(SIGURG, &own, NULL);
}

void stack_sampler_begin(stack_sampler *s) { here = s; }
void stack_sampler_end(void)               { here = NULL; }

void stack_sampler_request(stack_sampler *s, pthread_t thread)
{
    atomic_store(&s->state, SAMPLER_REQUESTED);
    pthread_kill(thread, SIGURG);
}

bool stack_sampler_take(stack_sampler *s, stack_sample *sample)
{
    if (atomic_load(&s->state) != SAMPLER_DONE)
        return false;
    *sample = s->sample;
    atomic_store(&s->state, SAMPLER_IDLE);
    return true;
}
