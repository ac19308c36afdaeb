/* witness.c - see witness.h. */
#include "witness.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <unwind.h>

enum { SILENT, ASKED, ANSWERED };

static _Thread_local witness *here;

/* What is above the signal's own frame is the handler's, and is dropped. */
static _Unwind_Reason_Code add_place(struct _Unwind_Context *frame, void *arg)
{
    testimony *t = arg;
    int exact = 0;
    const uintptr_t pc = _Unwind_GetIPInfo(frame, &exact);
    if (exact)
        t->count = 0;
    if (pc == 0 || t->count == WITNESS_PLACES)
        return _URC_END_OF_STACK;
    t->places[t->count++] = pc - !exact;
    return _URC_NO_REASON;
}

static void on_asked(int number)
{
    witness *w = here;
    const int saved = errno;
    (void)number;
    if (!w || atomic_load(&w->state) != ASKED)
        return;
    w->said.beats = pulse_beats(w->pulse);
    w->said.on_behalf = *owner_here();
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

void witness_install(void)
{
    _Unwind_Backtrace(stop_at_once, NULL);
    struct sigaction own = { .sa_handler = on_asked, .sa_flags = SA_ONSTACK | SA_RESTART };
    sigemptyset(&own.sa_mask);
    sigaction(SIGURG, &own, NULL);
}

void witness_begin(witness *w) { here = w; }
void witness_end(void)         { here = NULL; }

void witness_ask(witness *w, pthread_t thread)
{
    atomic_store(&w->state, ASKED);
    pthread_kill(thread, SIGURG);
}

bool witness_answer(witness *w, testimony *t)
{
    if (atomic_load(&w->state) != ANSWERED)
        return false;
    *t = w->said;
    atomic_store(&w->state, SILENT);
    return true;
}
