/* slowest.c - see slowest.h. */
#include "slowest.h"
#include "recorder_watch.h"
#include "server/base/memory.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    MOST_READ = 1 << 16,                     /* entries of a ring */
    MOST_TAKEN = 1024,                       /* spans that are weighed against each other */
    PART = 100,                              /* of a thread's time */
    SAVED = 1000000000,                      /* nanoseconds, of which that part may be spent at once */
    WRITING = 8,                             /* answers of a thread that are waited for */
    CLOCKS = 5000,                           /* nanoseconds: so far both clocks may be apart */
    SLACK = 5000000,                         /* nanoseconds: in a shared ring entries may be out of order by so much */
};

slowest_bar       slowest_bars[RECORD_LABELS];
_Thread_local int slowest_writing;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static slow_request   *kept[RECORD_LABELS];          /* SLOWEST_KEPT each, or NULL; under the lock, as is last_id */
static uint64_t        last_id;

static _Thread_local uint64_t not_before;            /* recorder_clock */
static _Thread_local struct { const void *connection; uint64_t id; } writing[WRITING];

#define LOAD(from) __atomic_load_n(&(from), __ATOMIC_RELAXED)

static inline uint16_t entry_request(const record *e) { return (uint16_t)(LOAD(((const uint64_t *)e)[2]) >> 48); }

/* Into a full one goes what is longer than the shortest that is there. */
static void span_take(slow_request *s, const record *span)
{
    if (s->count < SLOWEST_SPANS) {
        s->spans[s->count++] = *span;
        return;
    }
    s->left_out++;
    if (s->left_out > MOST_TAKEN)
        return;
    record *shortest = s->spans;
    for (record *at = s->spans + 1; at < s->spans + SLOWEST_SPANS; at++)
        if (at->end - at->since < shortest->end - shortest->since)
            shortest = at;
    if (span->end - span->since > shortest->end - shortest->since)
        *shortest = *span;
}

static int by_since(const void *a, const void *b)
{
    const record *const x = a, *const y = b;
    return x->since != y->since ? (x->since > y->since) - (x->since < y->since) : (y->end > x->end) - (y->end < x->end);
}

/* Nanoseconds since the request came; 0 of what was before it. */
static uint64_t since_start(const slowest_ended *e, uint64_t clock)
{
    const uint64_t before_end = clock < e->clock ? recorder_ns_of(e->clock - clock) : 0;
    return before_end < e->took ? e->took - before_end : 0;
}

static uint64_t since_start_by_hrtime(const slowest_ended *e, uint64_t ns) { return ns > e->started ? ns - e->started : 0; }

static bool record_is_span(const record *e)
{
    return e->kind != RECORD_SETTLED && e->kind < RECORD_DETAILS && e->end > 0 && e->since <= e->end;
}

void slowest_read(slow_request *s, const slowest_ended *e)
{
    const recorder *const r = recorder_here;
    const uint64_t next = atomic_load_explicit(&r->next, memory_order_acquire);
    const uint64_t there = next < r->count ? next : r->count - 1, most = there < MOST_READ ? there : MOST_READ;
    const uint64_t before = e->clock - recorder_ticks_of(e->took + (r->shared ? SLACK : 0));
    uint64_t others = UINT64_MAX, i;         /* others: what began later is another's, who had the same number */

    s->count = s->left_out = 0;
    s->partial = false;
    if (!e->whom.request)
        return;
    for (i = 1; i <= most; i++) {
        const record *const at = &r->records[(next - i) & (r->count - 1)];
        const uint64_t ended = LOAD(at->end);
        if (ended < before)
            break;
        if (entry_request(at) != e->whom.request || LOAD(at->label) != e->whom.label || ended > e->clock)
            continue;
        record one = record_load(at);
        if (one.kind == RECORD_REQUEST && one.since == e->started)
            continue;
        one.end = since_start(e, one.end);
        one.since = record_is_by_hrtime(one.kind) ? since_start_by_hrtime(e, one.since) : since_start(e, one.since);
        if (one.kind == RECORD_REQUEST)
            others = one.end == 0 ? others : one.since > CLOCKS ? one.since - CLOCKS : 0;
        else if (record_is_span(&one) && one.since < others)
            span_take(s, &one);
    }
    s->partial = i > most && (next >= r->count || most == MOST_READ);
    qsort(s->spans, (size_t)s->count, sizeof s->spans[0], by_since);
}

/* Where the next one of that label goes: none, one that is too old, or the quickest. */
static slow_request *place_for(slow_request *of, uint64_t now)
{
    slow_request *quickest = of;
    for (slow_request *s = of; s < of + SLOWEST_KEPT; s++) {
        if (!s->id || s->ended + SLOWEST_AGE <= now)
            return s;
        if (s->took < quickest->took)
            quickest = s;
    }
    return quickest;
}

/* While there is room, all are kept. */
static void bar_set(uint16_t label, const slow_request *of)
{
    uint64_t least = UINT64_MAX, until = UINT64_MAX;
    for (const slow_request *s = of; s < of + SLOWEST_KEPT; s++) {
        const uint64_t too_old = s->id ? s->ended + SLOWEST_AGE : 0;
        least = s->took < least ? s->took : least;
        until = too_old < until ? too_old : until;
    }
    atomic_store_explicit(&slowest_bars[label].least, least, memory_order_relaxed);
    atomic_store_explicit(&slowest_bars[label].until, until, memory_order_relaxed);
}

static void writing_begins(const void *connection, uint64_t id)
{
    for (int i = 0; connection && i < WRITING; i++)
        if (!writing[i].connection) {
            writing[i].connection = connection;
            writing[i].id = id;
            slowest_writing++;
            return;
        }
}

bool slowest_keep(const slowest_ended *e)
{
    struct timespec wall;
    if (e->clock < not_before)
        return false;
    clock_gettime(CLOCK_REALTIME, &wall);
    slow_request s = { .ended = e->started + e->took, .at = wall.tv_sec * 1000 + wall.tv_nsec / 1000000, .took = e->took,
                       .wrote = SLOWEST_WRITING, .thread = (int32_t)recorder_here->thread, .label = e->whom.label,
                       .outcome = e->outcome };
    slowest_read(&s, e);

    pthread_mutex_lock(&lock);
    slow_request *const of = kept[s.label] ? kept[s.label] : (kept[s.label] = mem_alloc(SLOWEST_KEPT * sizeof *of));
    slow_request *const to = place_for(of, s.ended);
    s.id = ++last_id;
    if (!to->id || s.took > to->took || to->ended + SLOWEST_AGE <= s.ended)  /* another may have come before it */
        memcpy(to, &s, offsetof(slow_request, spans) + (size_t)s.count * sizeof s.spans[0]);
    bar_set(s.label, of);
    pthread_mutex_unlock(&lock);
    writing_begins(e->connection, s.id);
    const uint64_t now = recorder_clock(), saved = recorder_ticks_of(SAVED);
    not_before = (not_before + saved > now ? not_before : now - saved) + PART * (now - e->clock);
    return true;
}

static slow_request *find(uint64_t id)
{
    for (int l = 0; id && l < RECORD_LABELS; l++)
        for (int i = 0; kept[l] && i < SLOWEST_KEPT; i++)
            if (kept[l][i].id == id)
                return &kept[l][i];
    return NULL;
}

void slowest_written_there(const void *connection, bool whole)
{
    const uint64_t now = uv_hrtime();
    for (int i = 0; i < WRITING; i++) {
        if (writing[i].connection != connection)
            continue;
        writing[i].connection = NULL;
        slowest_writing--;
        pthread_mutex_lock(&lock);
        slow_request *const s = whole ? find(writing[i].id) : NULL;
        if (s)
            s->wrote = now > s->ended ? now - s->ended : 0;
        pthread_mutex_unlock(&lock);
    }
}

static int by_took(const void *a, const void *b)
{
    const slow_request *const x = a, *const y = b;
    return (x->took < y->took) - (x->took > y->took);
}

int slowest_of(uint16_t label, slow_request to[SLOWEST_KEPT])
{
    int count = 0;
    pthread_mutex_lock(&lock);
    for (int i = 0; kept[label] && i < SLOWEST_KEPT; i++)
        if (kept[label][i].id)
            to[count++] = kept[label][i];
    pthread_mutex_unlock(&lock);
    qsort(to, (size_t)count, sizeof *to, by_took);
    return count;
}

bool slowest_find(uint64_t id, slow_request *to)
{
    pthread_mutex_lock(&lock);
    const slow_request *const s = find(id);
    if (s)
        *to = *s;
    pthread_mutex_unlock(&lock);
    return s;
}

void slowest_forget_all(void)
{
    pthread_mutex_lock(&lock);
    for (int l = 0; l < RECORD_LABELS; l++) {
        mem_free(kept[l]);
        kept[l] = NULL;
        atomic_store(&slowest_bars[l].least, 0);
        atomic_store(&slowest_bars[l].until, 0);
    }
    pthread_mutex_unlock(&lock);
}
