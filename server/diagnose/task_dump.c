/* task_dump.c - see task_dump.h. */
#include "task_dump.h"
#include "server/base/log.h"
#include "server/base/memory.h"
#include "symbols.h"
#include "server/async/task.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

typedef struct dump {
    struct dump *next;
    int          loop;
    size_t       count;
    task_view    tasks[];
} dump;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static dump           *first, **last = &first;               /* under the lock */

static void dump_add_task(const task_view *v, void *arg)
{
    dump *d = arg;
    d->tasks[d->count++] = *v;
}

void task_dump_take(int loop)
{
    dump *d = mem_alloc(sizeof *d + task_count() * sizeof d->tasks[0]);
    d->loop = loop;
    task_each(dump_add_task, d);
    pthread_mutex_lock(&lock);
    *last = d;
    last = &d->next;
    pthread_mutex_unlock(&lock);
}

/* Of thousands of tasks, most wait in the same few places. */
typedef struct cache {
    symbols *symbols;
    struct { const void *place; char text[128]; } known[64];
} cache;

static const char *cache_find(cache *c, const void *place)
{
    const size_t i = ((uintptr_t)place * 0x9e3779b97f4a7c15u) >> 58;
    if (c->known[i].place != place) {
        symbols_place(c->symbols, symbols_call(place), c->known[i].text, sizeof c->known[i].text);
        c->known[i].place = place;
    }
    return c->known[i].text;
}

static void dump_log_task(cache *c, int loop, const task_view *v)
{
    char what[512], place[128] = "";
    if (v->place)
        snprintf(place, sizeof place, "%s", cache_find(c, v->place));
    if (v->running)
        snprintf(what, sizeof what, "runs");
    else if (!v->place)
        snprintf(what, sizeof what, "has not begun");
    else if (!v->awaits.maker)
        snprintf(what, sizeof what, "yields at %s", place);
    else if (strstr(place, "server/async/task.c:") ||        /* return await(...), compiled to a jump, returns to there */
             strcmp(cache_find(c, v->awaits.place), place) == 0)
        snprintf(what, sizeof what, "awaits %s() at %s", v->awaits.maker, cache_find(c, v->awaits.place));
    else
        snprintf(what, sizeof what, "awaits %s() at %s, called at %s", v->awaits.maker, place, cache_find(c, v->awaits.place));
    log_list("loop %d: %s, %llu ms old (%s), %s", loop, v->name, (unsigned long long)v->age, label_name(v->label), what);
}

static void dump_log(const dump *d)
{
    cache *c = mem_alloc(sizeof *c);
    c->symbols = symbols_open();
    log_list("loop %d has %zu task%s", d->loop, d->count, d->count == 1 ? "" : "s");
    for (size_t i = 0; i < d->count; i++)
        dump_log_task(c, d->loop, &d->tasks[i]);
    symbols_close(c->symbols);
    mem_free(c);
}

static void label_log_stack(const char *name, const label_counts *c, void *arg)
{
    (void)arg;
    if (c->stack)
        log_list("stack: %s used %zu bytes at most", name, c->stack);
}

void task_dump_stacks(void) { label_each(label_log_stack, NULL); }

static void (*_Atomic log_others)(void);

void task_dump_also(void (*others)(void)) { atomic_store(&log_others, others); }

void task_dump_log_others(void)
{
    void (*const others)(void) = atomic_load(&log_others);
    if (others)
        others();
}

void task_dump_log(void)
{
    pthread_mutex_lock(&lock);
    dump *d = first;
    first = NULL;
    last = &first;
    pthread_mutex_unlock(&lock);
    if (d)
        task_dump_stacks();
    for (dump *next; d; d = next) {
        next = d->next;
        dump_log(d);
        mem_free(d);
    }
}
