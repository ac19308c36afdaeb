/* label.c - see label.h. */
#include "label.h"
#include "server/async/observe/loop_latency.h"
#include "server/base/observe/layout.h"
#include "server/base/observe/recorder.h"
#include "server/base/memory.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

_Static_assert(LABEL_LENGTHS - LOOP_LATENCY_BUCKETS == 0, "what blocks a loop is counted as its turns are");

_Static_assert(LABELS - RECORD_LABELS == 0, "what is recorded is added up by label");

static struct entry {
    const char      *name;
    _Atomic uint64_t blocked, longest, stack;
    _Atomic uint64_t lengths[LOOP_LATENCY_BUCKETS];
} labels[LABELS] = { { .name = "other" } };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int             count = 1;            /* under the lock; with a label its name may be read without */

static const layout_entry LABEL_LAYOUT[] LAYOUT_ENTRIES = {
    LAYOUT_ADDRESS("labels", labels),
    LAYOUT_SIZE("label", struct entry),
    LAYOUT_FIELD("label.name", struct entry, name),
};

label label_of(const char *name)
{
    pthread_mutex_lock(&lock);
    int i = 0;
    while (i < count && strcmp(labels[i].name, name) != 0)
        i++;
    if (i == LABELS)
        i = 0;
    else if (i == count)
        labels[count++].name = mem_copy(name);
    pthread_mutex_unlock(&lock);
    return (label)i;
}

const char *label_name(label l) { return labels[l].name; }

int label_count(void)
{
    pthread_mutex_lock(&lock);
    const int now = count;
    pthread_mutex_unlock(&lock);
    return now;
}

static void label_raise(_Atomic uint64_t *most, uint64_t value)
{
    uint64_t before = atomic_load_explicit(most, memory_order_relaxed);
    while (before < value && !atomic_compare_exchange_weak(most, &before, value))
        ;
}

void label_count_blocked(label l)             { atomic_fetch_add(&labels[l].blocked, 1); }
void label_note_blocked(label l, uint64_t ms)
{
    int bucket = 0;
    while (ms >= loop_latency_bound(bucket))
        bucket++;
    atomic_fetch_add(&labels[l].lengths[bucket], 1);
    label_raise(&labels[l].longest, ms);
}

void label_note_stack(label l, size_t used)   { label_raise(&labels[l].stack, used); }

void label_each(void (*show)(const char *, const label_counts *, void *), void *arg)
{
    pthread_mutex_lock(&lock);
    for (int i = 0; i < count; i++) {
        label_counts c = { .blocked = labels[i].blocked, .longest = labels[i].longest, .stack = labels[i].stack };
        for (int b = 0; b < LOOP_LATENCY_BUCKETS; b++)
            c.lengths[b] = labels[i].lengths[b];
        if (c.blocked || c.stack)
            show(labels[i].name, &c, arg);
    }
    pthread_mutex_unlock(&lock);
}
