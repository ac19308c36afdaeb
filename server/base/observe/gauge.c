/* gauge.c - see gauge.h. */
#include "gauge.h"
#include "layout.h"

#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static list            all;                  /* under the lock */

static const layout_entry GAUGE_LAYOUT[] LAYOUT_ENTRIES = {
    LAYOUT_ADDRESS("gauges", &all),
    LAYOUT_SIZE("gauge", gauge),
    LAYOUT_FIELD("gauge.node", gauge, node),
    LAYOUT_FIELD("gauge.name", gauge, name),
    LAYOUT_FIELD("gauge.value", gauge, value),
    LAYOUT_FIELD("gauge.thread", gauge, thread),
};

void gauge_add(gauge *g, const char *name, const void *value)
{
    g->name = name;
    g->value = value;
    g->thread = (pid_t)syscall(SYS_gettid);
    pthread_mutex_lock(&lock);
    list_push(&all, &g->node);
    pthread_mutex_unlock(&lock);
}

void gauge_remove(gauge *g)
{
    pthread_mutex_lock(&lock);
    if (list_has(&g->node))
        list_remove(&g->node);
    pthread_mutex_unlock(&lock);
}
