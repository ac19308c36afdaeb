/* pulse.c - see pulse.h. */
#include "pulse.h"

#include <stddef.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pulse          *all;                  /* the newest first; under the lock */

void pulse_begin(pulse *p)
{
    atomic_store_explicit(&p->beats, 0, memory_order_relaxed);
    p->thread = pthread_self();
    pthread_mutex_lock(&lock);
    p->prev = NULL;
    p->next = all;
    if (all)
        all->prev = p;
    all = p;
    pthread_mutex_unlock(&lock);
}

void pulse_end(pulse *p)
{
    pthread_mutex_lock(&lock);
    if (p->prev)
        p->prev->next = p->next;
    else
        all = p->next;
    if (p->next)
        p->next->prev = p->prev;
    pthread_mutex_unlock(&lock);
}

void pulse_each(void (*look)(pulse *p, void *arg), void *arg)
{
    pthread_mutex_lock(&lock);
    for (pulse *p = all; p; p = p->next)
        look(p, arg);
    pthread_mutex_unlock(&lock);
}
