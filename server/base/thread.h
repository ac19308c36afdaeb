/* thread.h - threads of the server's own, which take no signals: those are for the loops, or for the main thread. */
#ifndef THREAD_H
#define THREAD_H

#include <pthread.h>
#include <signal.h>

/* 0, or a negative error. It is joined, or detached, as any other. */
static inline int thread_start(pthread_t *thread, void *(*run)(void *), void *arg)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);             /* it inherits that */
    const int err = pthread_create(thread, NULL, run, arg);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return -err;
}

#endif
