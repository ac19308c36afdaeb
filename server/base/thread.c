/* thread.c - see thread.h. */
#include "thread.h"
#include "signal_stack.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>

typedef struct thread_work { void *(*run)(void *); void *arg; } thread_work;

static void *thread_run(void *arg)
{
    const thread_work work = *(thread_work *)arg;
    free(arg);
    signal_stack_begin();
    void *const result = work.run(work.arg);
    signal_stack_end();
    return result;
}

int thread_start(pthread_t *thread, void *(*run)(void *), void *arg)
{
    static const int FAULTS[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS };
    sigset_t others, before;
    sigfillset(&others);
    for (size_t i = 0; i < sizeof FAULTS / sizeof FAULTS[0]; i++)
        sigdelset(&others, FAULTS[i]);
    thread_work *const work = malloc(sizeof *work);          /* memory.h has the log, which has such a thread */
    if (!work)
        return -ENOMEM;
    *work = (thread_work){ run, arg };
    pthread_sigmask(SIG_SETMASK, &others, &before);          /* it inherits that */
    const int err = pthread_create(thread, NULL, thread_run, work);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (err)
        free(work);
    return -err;
}
