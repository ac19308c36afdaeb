/* recorder_watch.c - see recorder_watch.h. */
#include "recorder_watch.h"

typedef struct look {                        /* for one of recorder_each */
    recorder_watch *watch;
    int             number, count;           /* which one; those that are not newer than the one that is shown */
    uint64_t        back, *written;
    record         *to;
    size_t          most, read;
    uint64_t        missed;
    bool            found;
} look;

bool record_since_is_time(record_kind kind)
{
    return kind != RECORD_READY_ADDED && kind != RECORD_AWAIT && kind != RECORD_TIMER_SET;
}

static void look_count(recorder *r, void *arg)
{
    look *const l = arg;
    l->count += !r->shared;
}

/* The newest is shown first, and is the last one. */
static void look_written(recorder *r, void *arg)
{
    look *const l = arg;
    if (!r->shared && l->count-- <= l->number)
        l->written[l->count] = atomic_load_explicit(&r->next, memory_order_relaxed);
}

int recorder_watch_count(uint64_t written[], int most)
{
    look l = { .written = written, .number = most };
    recorder_each(look_count, &l);
    const int count = l.count;
    if (written)
        recorder_each(look_written, &l);
    return count;
}

static void look_begin(recorder *r, void *arg)
{
    look *const l = arg;
    if (r->shared || l->count-- != l->number)
        return;
    const uint64_t next = atomic_load_explicit(&r->next, memory_order_acquire);
    const uint64_t kept = l->back < r->count ? l->back : r->count - 1;
    *l->watch = (recorder_watch){ .id = r->id, .next = next > kept ? next - kept : 0,
                                  .tick = r->tick, .ns = r->ns, .ticks = r->ticks };
    atomic_fetch_add(&r->looks, 1);
    atomic_fetch_add(&r->watchers, 1);
    l->found = true;
}

int recorder_watch_begin(recorder_watch *w, int number, uint64_t back)
{
    look l = { .watch = w, .number = number, .back = back, .count = recorder_watch_count(NULL, 0) };
    *w = (recorder_watch){ 0 };
    if (number > 0)
        recorder_each(look_begin, &l);
    return l.found ? 0 : UV_ENOENT;
}

static void look_end(recorder *r, void *arg)
{
    const look *const l = arg;
    if (r->id == l->watch->id)
        atomic_fetch_sub(&r->watchers, 1);
}

void recorder_watch_end(recorder_watch *w)
{
    if (w->id)
        recorder_each(look_end, &(look){ .watch = w });
    w->id = 0;
}

#define LOAD(from) __atomic_load_n(&(from), __ATOMIC_RELAXED)

record record_load(const record *e)
{
    record it = { LOAD(e->since), LOAD(e->end), LOAD(e->what),
                  LOAD(e->value), LOAD(e->label), LOAD(e->kind), LOAD(e->lane) };
    it.what = record_what(&it);
    return it;
}

/* Entries that were overwritten while they were copied are the first ones. */
static void look_read(recorder *r, void *arg)
{
    look *const l = arg;
    recorder_watch *const w = l->watch;
    if (r->id != w->id)
        return;
    const uint64_t next = atomic_load_explicit(&r->next, memory_order_acquire);
    const uint64_t room = l->most < r->count ? l->most : r->count - 1;
    const uint64_t first = next - w->next > room ? next - room : w->next;
    for (uint64_t i = first; i < next; i++)
        l->to[i - first] = record_load(&r->records[i & (r->count - 1)]);
    atomic_thread_fence(memory_order_acquire);
    const uint64_t after = atomic_load_explicit(&r->next, memory_order_relaxed);
    const uint64_t whole = after >= r->count ? after - r->count + 1 : 0;     /* the oldest may be the one that is being written */
    const uint64_t lost = whole > first ? (whole < next ? whole - first : next - first) : 0;
    l->read = (size_t)(next - first - lost);
    for (size_t i = 0; lost && i < l->read; i++)
        l->to[i] = l->to[i + lost];
    l->missed = first + lost - w->next;
    w->next = next;
}

/* A tick's length is known ever better. */
static double watch_ns_per_tick(const recorder_watch *w, uint64_t tick, uint64_t ns)
{
    return w->ticks && tick > w->tick && ns > w->ns ? (double)(ns - w->ns) / (double)(tick - w->tick) : 1;
}

size_t recorder_watch_read(recorder_watch *w, record to[], size_t most, uint64_t *missed)
{
    look l = { .watch = w, .to = to, .most = most };
    recorder_each(look_read, &l);
    const uint64_t tick = recorder_clock_of(w->ticks), ns = uv_hrtime();
    const double each = watch_ns_per_tick(w, tick, ns);
    for (size_t i = 0; w->ticks && i < l.read; i++) {
        record *const e = &to[i];
        e->end = ns - (uint64_t)(int64_t)(((double)tick - (double)e->end) * each);
        if (record_since_is_time(e->kind) && e->kind != RECORD_REQUEST && e->kind != RECORD_TURN)
            e->since = ns - (uint64_t)(int64_t)(((double)tick - (double)e->since) * each);
    }
    *missed = l.missed;
    return l.read;
}
