/* recorder.c - see recorder.h. */
#include "recorder.h"
#include "counter.h"
#include "layout.h"
#include "server/base/memory.h"

#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

enum { LEAST = 1024 };                       /* entries */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static list            all;                  /* under the lock; the newest first */
static uint64_t        last_id;              /* under the lock */

_Thread_local recorder *recorder_here;
_Thread_local uint16_t  recorder_last_request;
bool                    recorder_ticks;

static struct { uint64_t tick, ns; } first_point;            /* both clocks when the process began */

static const layout_entry RECORDER_LAYOUT[] LAYOUT_ENTRIES = {
    LAYOUT_ADDRESS("recorders", &all),
    LAYOUT_SIZE("recorder", recorder),
    LAYOUT_FIELD("recorder.node", recorder, node),
    LAYOUT_FIELD("recorder.name", recorder, name),
    LAYOUT_FIELD("recorder.thread", recorder, thread),
    LAYOUT_FIELD("recorder.ticks", recorder, ticks),
    LAYOUT_FIELD("recorder.tick", recorder, tick),
    LAYOUT_FIELD("recorder.ns", recorder, ns),
    LAYOUT_FIELD("recorder.count", recorder, count),
    LAYOUT_FIELD("recorder.next", recorder, next),
    { "recorder.records", sizeof(record), { .offset = offsetof(recorder, records) }, 0 },
    LAYOUT_SIZE("record", record),
    LAYOUT_FIELD("record.since", record, since),
    LAYOUT_FIELD("record.end", record, end),
    { "record.what", 6, { .offset = 16 }, 0 },
    { "record.request", 2, { .offset = 22 }, 0 },
    LAYOUT_FIELD("record.value", record, value),
    LAYOUT_FIELD("record.label", record, label),
    LAYOUT_FIELD("record.kind", record, kind),
    LAYOUT_FIELD("record.queued", record, lane),
    LAYOUT_ADDRESS("record.place", recorder_add_here),
};

_Static_assert(offsetof(record, value) == 24, "what and request are the eight bytes before it");

/* Is the processor's clock one that can be trusted: the same speed always, in sleep as well? */
static bool clock_is_steady(void)
{
#if defined(__x86_64__)
    unsigned a, b, c, d = 0;
    return __get_cpuid(0x80000007, &a, &b, &c, &d) && d & (1u << 8);
#else
    return false;
#endif
}

/* Both clocks at the same time: of some tries the one in which least can have come between. */
static void read_both(uint64_t *tick, uint64_t *ns)
{
    uint64_t least = UINT64_MAX;
    for (int i = 0; i < 4; i++) {
        const uint64_t before = recorder_clock(), now = uv_hrtime(), passed = recorder_clock() - before;
        if (passed < least) {
            least = passed;
            *tick = before + passed / 2;
            *ns = now;
        }
    }
}

/* Before there is any other thread: those without a recorder read the clock, too. */
__attribute__((constructor)) static void recorder_choose_clock(void)
{
    recorder_ticks = clock_is_steady();
    read_both(&first_point.tick, &first_point.ns);
}

static recorder *recorder_new(const char *name, size_t size, pid_t thread)
{
    uint64_t count = 1;
    while (2 * count * sizeof(record) <= size)
        count *= 2;
    if (count < LEAST)
        return NULL;
    recorder *const r = mem_alloc(sizeof *r + count * sizeof r->records[0]);
    r->name = name;
    r->thread = thread;
    r->shared = !thread;
    r->count = count;
    r->sums = mem_alloc(sizeof *r->sums);    /* of which little is touched */
    pthread_mutex_lock(&lock);
    r->id = ++last_id;
    r->ticks = recorder_ticks;
    read_both(&r->tick, &r->ns);
    list_push(&all, &r->node);
    pthread_mutex_unlock(&lock);
    return r;
}

static void recorder_free(recorder *r)
{
    if (!r)
        return;
    pthread_mutex_lock(&lock);
    list_remove(&r->node);
    pthread_mutex_unlock(&lock);
    mem_free(r->sums);
    mem_free(r);
}

void recorder_begin(const char *name, size_t size) { recorder_here = recorder_new(name, size, (pid_t)syscall(SYS_gettid)); }

void recorder_end(void)
{
    recorder_free(recorder_here);
    recorder_here = NULL;
}

recorder *recorder_new_shared(const char *name, size_t size) { return recorder_new(name, size, 0); }
void      recorder_free_shared(recorder *r)                  { recorder_free(r); }

void recorder_each(void (*show)(recorder *r, void *arg), void *arg)
{
    pthread_mutex_lock(&lock);
    for (list_node *n = all.first; n; n = n->next)
        show(container_of(n, recorder, node), arg);
    pthread_mutex_unlock(&lock);
}

static atomic_int           waker = -1;
static atomic_bool          asked;
static atomic_uint_fast64_t asked_of_slow;   /* when, by uv_hrtime; 0: never */

void recorder_wake_by(int fd) { atomic_store(&waker, fd); }
bool recorder_asked(void)     { return atomic_exchange(&asked, false); }

void recorder_ask(void)
{
    const int fd = atomic_load(&waker);
    atomic_store(&asked, true);
    if (fd >= 0 && eventfd_write(fd, 1)) {      /* it is woken already */
    }
}

void recorder_ask_of_slow(void)
{
    static const uint64_t MINUTE = 60000000000;
    const uint64_t now = uv_hrtime();
    uint64_t last = atomic_load(&asked_of_slow);
    if ((!last || now - last >= MINUTE) && atomic_compare_exchange_strong(&asked_of_slow, &last, now))
        recorder_ask();
}

#define STORE(to, value) __atomic_store_n(&(to), (value), __ATOMIC_RELAXED)

enum { CALIBRATES = 10000000 };              /* nanoseconds, in which the rate becomes known; ten times that later, anew */

static _Thread_local struct { uint64_t tick, ns, until, rate; } point;     /* rate: nanoseconds of 2^32 ticks */

static uint64_t scaled(uint64_t a, uint64_t rate) { return (uint64_t)(((unsigned __int128)a * rate) >> 32); }

static __attribute__((noinline)) uint64_t recorder_look(uint64_t clock)
{
    uint64_t tick, ns;
    read_both(&tick, &ns);
    const uint64_t ticks = tick - first_point.tick, passed = ns - first_point.ns;
    point.rate = passed && ticks ? (uint64_t)(((unsigned __int128)passed << 32) / ticks) : (uint64_t)1 << 32;
    point.tick = tick;
    point.ns = ns;
    point.until = passed < CALIBRATES ? 0 : (uint64_t)(((unsigned __int128)10 * CALIBRATES << 32) / point.rate);
    return clock < tick ? ns - scaled(tick - clock, point.rate) : ns;
}

inline uint64_t recorder_ns(uint64_t clock)
{
    if (!recorder_ticks)
        return clock;
    const uint64_t passed = clock - point.tick;
    return passed < point.until ? point.ns + scaled(passed, point.rate) : recorder_look(clock);
}

uint64_t recorder_ns_of(uint64_t ticks)
{
    if (recorder_ticks && !point.until)
        recorder_look(recorder_clock());
    return recorder_ticks ? scaled(ticks, point.rate) : ticks;
}

uint64_t recorder_ticks_of(uint64_t ns)
{
    if (recorder_ticks && !point.until)
        recorder_look(recorder_clock());
    return recorder_ticks ? (uint64_t)(((unsigned __int128)ns << 32) / point.rate) : ns;
}

#define INLINE static inline __attribute__((always_inline))

/* The last eight bytes of an entry. */
typedef union record_tail {
    struct { int32_t value; uint16_t label; uint8_t kind, lane; };
    uint64_t word;
} record_tail;

/* shared is a constant wherever one of these is called: what a loop does alone takes no lock.
 *
 * A shared one is written by others at the same time: a reader may find an entry that is half another. */
INLINE void record_write(bool shared, recorder *r, uint16_t request, record e)
{
    const uint64_t at = shared ? atomic_fetch_add_explicit(&r->next, 1, memory_order_relaxed)
                               : atomic_load_explicit(&r->next, memory_order_relaxed);
    uint64_t *const words = (uint64_t *)&r->records[at & (r->count - 1)];
    STORE(words[0], e.since);
    STORE(words[1], e.end);
    STORE(words[2], (uint64_t)(uintptr_t)e.what | (uint64_t)request << 48);
    STORE(words[3], ((record_tail){ { e.value, e.label, e.kind, e.lane } }).word);
    if (!shared)
        atomic_store_explicit(&r->next, at + 1, memory_order_release);
}

INLINE void record_sum_add(bool shared, record_sum *s, uint64_t time, uint64_t queued)
{
    counter_add(shared, &s->count, 1);
    counter_add(shared, &s->time, time);
    if (queued)
        counter_add(shared, &s->queued, queued);
}

static void place_add(recorder *r, uint16_t label, const char *what, int32_t place, uint64_t time)
{
    for (int i = 0; i < RECORD_PLACES; i++) {
        record_place_sum *const s = &r->sums->places[label][i];
        int32_t there = atomic_load_explicit(&s->place, memory_order_relaxed);
        if (!there && atomic_compare_exchange_strong(&s->place, &there, place)) {
            atomic_store_explicit(&s->what, what, memory_order_relaxed);
            there = place;
        }
        if (there == place) {
            counter_add(r->shared, &s->count, 1);
            counter_add(r->shared, &s->time, time);
            return;
        }
    }
}

INLINE void record_add(bool shared, recorder *r, record_kind kind, uint64_t since, uint64_t end, const char *what,
                       record_for whom, int value)
{
    record_write(shared, r, whom.request, (record){ since, end, what, value, whom.label, (uint8_t)kind, 0 });
    if (kind == RECORD_SETTLED || record_is_by_hrtime(kind))
        return;
    record_sum_add(shared, &r->sums->of[whom.label][kind], end - since, 0);
    if (kind == RECORD_WAITED && value)
        place_add(r, whom.label, what, value, end - since);
}

void recorder_add_here(record_kind kind, uint64_t since, uint64_t end, const char *what, record_for whom, int value)
{
    recorder *const r = recorder_here;
    if (r->shared)
        record_add(true, r, kind, since, end, what, whom, value);
    else
        record_add(false, r, kind, since, end, what, whom, value);
}

void recorder_add_begun(record_kind kind, uint64_t since, uint64_t began, uint64_t ended, const char *what, record_for whom,
                        int value)
{
    recorder *const r = recorder_here;
    if (!r)
        return;
    const uint64_t end = ended ? ended : recorder_clock(), all = end > since ? end - since : 0;
    const uint64_t waited = began <= since ? 0 : began >= end ? all : began - since;
    const uint8_t part = (uint8_t)(waited ? waited * 255 / all : 0);
    record_write(r->shared, r, whom.request, (record){ since, end, what, value, whom.label, (uint8_t)kind, part });
    record_sum_add(r->shared, &r->sums->of[whom.label][kind], all, waited);
}

void recorder_sum(record_kind kind, uint16_t label, uint64_t ns)
{
    recorder *const r = recorder_here;
    if (r)
        record_sum_add(r->shared, &r->sums->of[label][kind], ns, 0);
}

INLINE uint64_t record_add_request(bool shared, recorder *r, uint64_t clock, uint64_t now, uint64_t started, record_for whom,
                                   int value)
{
    const uint64_t took = now > started ? now - started : 0;
    record_write(shared, r, whom.request, (record){ started, clock, NULL, value, whom.label, RECORD_REQUEST, 0 });
    return took;
}

static __attribute__((noinline)) uint64_t record_add_request_slowly(uint64_t started, record_for whom, int value)
{
    recorder *const r = recorder_here;
    const uint64_t clock = recorder_clock(), now = recorder_ns(clock);
    return r->shared ? record_add_request(true, r, clock, now, started, whom, value)
                     : record_add_request(false, r, clock, now, started, whom, value);
}

/* A loop's, for which the clock is known, calls nothing: it is a part of every request. */
uint64_t recorder_add_request(uint64_t started, record_for whom, int value)
{
    recorder *const r = recorder_here;
    if (!recorder_ticks || r->shared)
        return record_add_request_slowly(started, whom, value);
    const uint64_t clock = recorder_clock_of(true), passed = clock - point.tick;
    if (passed >= point.until)
        return record_add_request_slowly(started, whom, value);
    return record_add_request(false, r, clock, point.ns + scaled(passed, point.rate), started, whom, value);
}

void recorder_add_detail(const record *e)
{
    recorder *const r = recorder_here;
    record_write(r->shared, r, 0, *e);
}

int32_t record_place(const void *place)
{
    const intptr_t away = (intptr_t)place - (intptr_t)recorder_add_here;
    return place && away == (int32_t)away ? (int32_t)away : 0;
}

const void *record_place_at(int32_t value) { return value ? (const void *)((intptr_t)recorder_add_here + value) : NULL; }
