/* loop_activity.c - see loop_activity.h. */
#include "loop_activity.h"

#include <stddef.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static loop_activity          *all;                  /* the newest first; under the lock */

void loop_activity_begin(loop_activity *p)
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

void loop_activity_end(loop_activity *p)
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

void loop_activity_each(void (*look)(loop_activity *p, void *arg), void *arg)
{
    pthread_mutex_lock(&lock);
    for (loop_activity *p = all; p; p = p->next)
        look(p, arg);
    pthread_mutex_unlock(&lock);
}
