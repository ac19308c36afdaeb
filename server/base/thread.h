/* thread.h - threads of the server's own, which take no signals: those are for the loops, or for the main thread. But for faults,
 * which are a thread's own: one that is blocked ends the process without a word. */
#ifndef THREAD_H
#define THREAD_H

#include <pthread.h>

/* 0, or a negative error. It is joined, or detached, as any other; and has a stack for the handlers of faults. */
int thread_start(pthread_t *thread, void *(*run)(void *), void *arg);

#endif
