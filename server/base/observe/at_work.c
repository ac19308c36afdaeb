/* at_work.c - see at_work.h. */
#include "at_work.h"
#include "layout.h"
#include "recorder.h"

#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static list            all;                  /* under the lock */

static const layout_entry AT_WORK_LAYOUT[] LAYOUT_ENTRIES = {
    LAYOUT_ADDRESS("at_works", &all),
    LAYOUT_SIZE("at_work", at_work),
    LAYOUT_FIELD("at_work.node", at_work, node),
    LAYOUT_FIELD("at_work.name", at_work, name),
    LAYOUT_FIELD("at_work.number", at_work, number),
    LAYOUT_FIELD("at_work.thread", at_work, thread),
    LAYOUT_FIELD("at_work.what", at_work, what),
    LAYOUT_FIELD("at_work.since", at_work, since),
    LAYOUT_FIELD("at_work.label", at_work, label),
};

void at_work_begin(at_work *w, const char *name, int number)
{
    w->name = name;
    w->number = number;
    w->thread = (pid_t)syscall(SYS_gettid);
    at_work_idle(w);
    pthread_mutex_lock(&lock);
    list_push(&all, &w->node);
    pthread_mutex_unlock(&lock);
}

void at_work_end(at_work *w)
{
    pthread_mutex_lock(&lock);
    if (list_has(&w->node))
        list_remove(&w->node);
    pthread_mutex_unlock(&lock);
}

void at_work_on(at_work *w, const char *what, uint16_t label, uint64_t clock)
{
    atomic_store_explicit(&w->since, recorder_ns(clock), memory_order_relaxed);
    atomic_store_explicit(&w->label, label, memory_order_relaxed);
    atomic_store_explicit(&w->what, what, memory_order_relaxed);
}
