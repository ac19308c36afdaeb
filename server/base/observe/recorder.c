/* recorder.c - see recorder.h. */
#include "recorder.h"
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
static list            all;                  /* under the lock */

_Thread_local recorder *recorder_here;
bool                    recorder_ticks;

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
    LAYOUT_FIELD("record.what", record, what),
    LAYOUT_FIELD("record.value", record, value),
    LAYOUT_FIELD("record.label", record, label),
    LAYOUT_FIELD("record.kind", record, kind),
};

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
    pthread_mutex_lock(&lock);
    recorder_ticks = clock_is_steady();
    r->ticks = recorder_ticks;
    r->tick = recorder_clock();
    r->ns = uv_hrtime();
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

/* A shared one is written by others at the same time: a reader may find an entry that is half another. */
void recorder_add_here(record_kind kind, uint64_t since, uint64_t end, const char *what, uint16_t label, int value)
{
    recorder *const r = recorder_here;
    const uint64_t at = r->shared ? atomic_fetch_add_explicit(&r->next, 1, memory_order_relaxed)
                                  : atomic_load_explicit(&r->next, memory_order_relaxed);
    record *const e = &r->records[at & (r->count - 1)];
    STORE(e->since, since);
    STORE(e->end, end);
    STORE(e->what, what);
    STORE(e->value, value);
    STORE(e->label, label);
    STORE(e->kind, (uint8_t)kind);
    if (!r->shared)
        atomic_store_explicit(&r->next, at + 1, memory_order_release);
}
