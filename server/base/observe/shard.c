/* shard.c - see shard.h. */
#include "shard.h"
#include "server/base/memory.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static shard           common;               /* the first of the shared ones, for whoever does not ask */
static _Atomic(shard *) shared[SHARD_SHARED] = { &common };   /* NULL until one is needed; they stay */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static list            loops;                /* their shards, the newest first; under the lock */
static int             last_number;          /* under the lock */
static atomic_uint     sharers;

_Thread_local shard *shard_here = &common;

void shard_begin(void)
{
    shard *const s = mem_alloc(sizeof *s);
    pthread_mutex_lock(&lock);
    s->number = ++last_number;
    list_push(&loops, &s->node);
    pthread_mutex_unlock(&lock);
    shard_here = s;
}

void shard_share(void)
{
    _Atomic(shard *) *const place = &shared[atomic_fetch_add_explicit(&sharers, 1, memory_order_relaxed) % SHARD_SHARED];
    if (!atomic_load(place)) {
        shard *there = NULL, *const made = mem_alloc(sizeof *made);
        if (!atomic_compare_exchange_strong(place, &there, made))
            mem_free(made);
    }
    shard_here = atomic_load(place);
}

/* Others may make it at the same time. */
shard_route *shard_make_route(shard *s, uint16_t label)
{
    shard_route *there = NULL, *const made = mem_alloc(sizeof *made);
    if (atomic_compare_exchange_strong(&s->routes[label], &there, made))
        return made;
    mem_free(made);
    return there;
}

/* The one of that name in a place that is empty, or has it; NULL: it is another's. */
static shard_name *shard_name_at(_Atomic(shard_name *) *place, const char *name)
{
    shard_name *there = atomic_load_explicit(place, memory_order_acquire);
    if (!there) {
        shard_name *const made = mem_alloc(sizeof *made);
        made->name = name;
        if (atomic_compare_exchange_strong(place, &there, made))
            return made;
        mem_free(made);
    }
    return there->name == name ? there : NULL;
}

static shard_name *shard_name_of(shard *s, shard_kind kind, const char *name)
{
    static const char OTHER[] = "other";
    size_t i = (uintptr_t)name * 0x9e3779b97f4a7c15 >> 32;   /* 2^64 divided by the golden ratio */
    for (int tries = 0; tries < SHARD_NAMES; tries++, i++) {
        shard_name *const n = shard_name_at(&s->names[kind][i % SHARD_NAMES], name);
        if (n)
            return n;
    }
    return shard_name_at(&s->names[kind][SHARD_NAMES], OTHER);
}

void shard_count_timed(shard_kind kind, const char *name, uint64_t waited, uint64_t took, bool failed)
{
    shard *const s = shard_here;
    shard_name *const n = shard_name_of(s, kind, name);
    durations_add(!s->number, &n->waited, waited);
    if (took != SHARD_NOT_BEGUN)
        durations_add(!s->number, &n->took, took);
    counter_add(!s->number, &n->failed, failed);
}

/* A loop ends: what it has counted is added to a shared one. */

static void durations_move(durations *to, const durations *from)
{
    for (int i = 0; i < DURATION_BUCKETS; i++)
        counter_add(true, &to->counts[i], counter_read(&from->counts[i]));
    counter_add(true, &to->time, counter_read(&from->time));
}

static void route_move(shard *to, uint16_t label, const shard_route *from)
{
    shard_route *const r = shard_route_of(to, label);
    durations_move(&r->took, &from->took);
    for (int i = 0; i < SHARD_OUTCOMES; i++)
        for (int head = 0; head < 2; head++)
            counter_add(true, &r->answers[head][i], counter_read(&from->answers[head][i]));
}

static void name_move(shard_name *to, const shard_name *from)
{
    durations_move(&to->waited, &from->waited);
    durations_move(&to->took, &from->took);
    counter_add(true, &to->failed, counter_read(&from->failed));
}

void shard_end(void)
{
    shard *const s = shard_here, *const to = &common;
    pthread_mutex_lock(&lock);
    list_remove(&s->node);
    for (int i = 0; i < SHARD_CELLS; i++)
        counter_add(true, &to->cells[i], counter_read(&s->cells[i]));
    for (int l = 0; l < RECORD_LABELS; l++)
        if (s->routes[l]) {
            route_move(to, (uint16_t)l, s->routes[l]);
            mem_free(s->routes[l]);
        }
    for (int kind = 0; kind < SHARD_KINDS; kind++)
        for (int i = 0; i <= SHARD_NAMES; i++)
            if (s->names[kind][i]) {
                name_move(shard_name_of(to, (shard_kind)kind, s->names[kind][i]->name), s->names[kind][i]);
                mem_free(s->names[kind][i]);
            }
    pthread_mutex_unlock(&lock);
    mem_free(s);
    shard_here = to;
}

/* Reading. */

static void loops_each(const list_node *n, void (*show)(const shard *s, void *arg), void *arg)
{
    if (!n)
        return;
    loops_each(n->next, show, arg);
    show(container_of(n, shard, node), arg);
}

void shard_each(void (*show)(const shard *s, void *arg), void *arg)
{
    pthread_mutex_lock(&lock);
    loops_each(loops.first, show, arg);
    for (int i = 0; i < SHARD_SHARED; i++)
        if (atomic_load(&shared[i]))
            show(atomic_load(&shared[i]), arg);
    pthread_mutex_unlock(&lock);
}

struct cell_sum { shard_cell cell; uint64_t sum; };

static void cell_add(const shard *s, void *arg)
{
    struct cell_sum *const c = arg;
    c->sum += counter_read(&s->cells[c->cell]);
}

uint64_t shard_sum(shard_cell cell)
{
    struct cell_sum c = { cell, 0 };
    shard_each(cell_add, &c);
    return c.sum;
}

struct route_sum { uint16_t label; bool any; duration_sums *took; uint64_t (*answers)[SHARD_OUTCOMES]; };

static void route_add(const shard *s, void *arg)
{
    struct route_sum *const to = arg;
    const shard_route *const r = atomic_load_explicit(&s->routes[to->label], memory_order_acquire);
    if (!r)
        return;
    to->any = true;
    duration_sums_add(to->took, &r->took);
    for (int i = 0; i < SHARD_OUTCOMES; i++)
        for (int head = 0; head < 2; head++)
            to->answers[head][i] += counter_read(&r->answers[head][i]);
}

bool shard_sum_route(uint16_t label, duration_sums *took, uint64_t answers[2][SHARD_OUTCOMES])
{
    struct route_sum to = { label, false, took, answers };
    *took = (duration_sums){ 0 };
    memset(answers, 0, 2 * sizeof *answers);
    shard_each(route_add, &to);
    return to.any;
}

struct names_sum { shard_kind kind; name_sums *to; int count; };

static void name_add(const shard *s, void *arg)
{
    struct names_sum *const all = arg;
    for (int i = 0; i <= SHARD_NAMES; i++) {
        const shard_name *const n = atomic_load_explicit(&s->names[all->kind][i], memory_order_acquire);
        int at = 0;
        if (!n)
            continue;
        while (at < all->count && strcmp(all->to[at].name, n->name) != 0)
            at++;
        if (at > SHARD_NAMES)
            at = SHARD_NAMES;
        if (at == all->count)
            all->to[all->count++] = (name_sums){ .name = n->name };
        duration_sums_add(&all->to[at].waited, &n->waited);
        duration_sums_add(&all->to[at].took, &n->took);
        all->to[at].failed += counter_read(&n->failed);
    }
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const name_sums *)a)->name, ((const name_sums *)b)->name);
}

int shard_sum_names(shard_kind kind, name_sums to[SHARD_NAMES + 1])
{
    struct names_sum all = { kind, to, 0 };
    shard_each(name_add, &all);
    qsort(to, (size_t)all.count, sizeof *to, by_name);
    return all.count;
}
