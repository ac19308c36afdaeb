/* comparison.c - see comparison.h. */
#include "comparison.h"
#include "account.h"
#include "generator.h"
#include "server/http/footprint.h"
#include "server/base/buffer.h"
#include "server/base/machine.h"
#include "server/base/thread.h"
#include "server/topic/topic.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <uv.h>

enum {
    TICK = 250,                              /* ms between two samples */
    LOOK = 20,                               /* ms between two looks whether it may go on */
    OPENING = 8000,                          /* ms, at most */
    LEAVING = 3000,
    SPARE = 64,                              /* descriptors that are left to others */
    WATCHERS = 16,                           /* clients of threads mode that look on meanwhile */
};

const load_about LOADS_ABOUT[LOADS] = {
    [LOAD_WAITING]  = { "waiting", "Waiting", "each request waits for a second, as for another server" },
    [LOAD_DATABASE] = { "database", "A slow database", "each request runs a query that takes some ten milliseconds" },
    [LOAD_CPU]      = { "cpu", "Computing", "each request computes for some two milliseconds" },
    [LOAD_MIXED]    = { "mixed", "Mixed", "a wait of 200 ms, a user's page, and computing, in turn" },
};

static const generated WAITING[]  = { { "/sleep?ms=%d", 1000, 0 } },
                       DATABASE[] = { { "/compare/database", 0, 0 } },
                       CPU[]      = { { "/compare/cpu", 0, 0 } },
                       MIXED[]    = { { "/sleep?ms=%d", 200, 0 }, { "/users/%d", 0, 10000 }, { "/compare/cpu", 0, 0 } };

static const struct { const generated *requests; int kinds; } REQUESTS[LOADS] = {
    [LOAD_WAITING] = { WAITING, 1 }, [LOAD_DATABASE] = { DATABASE, 1 }, [LOAD_CPU] = { CPU, 1 }, [LOAD_MIXED] = { MIXED, 3 },
};

static const mode TURNS[COMPARISON_TURNS] = { MODE_ASYNC, MODE_THREADS, MODE_THREADS, MODE_ASYNC };

static struct {
    second_server  *second;
    mode            first;
    int             loop_threads;            /* the loops, and the pool */
    int             threads_most;            /* clients of threads mode */
    pthread_mutex_t lock;                    /* of what follows */
    bool            running, joinable;
    pthread_t       thread;
    comparison      last;
} here = { .lock = PTHREAD_MUTEX_INITIALIZER };

typedef struct turn {
    int            number, measures_ms;
    mode           mode;
    generator     *generator;
    account        before, sampled;          /* when it began, and at the last sample */
    generator_view seen;                     /* at the last sample */
    uint64_t       sampled_at, own;          /* own: processor time of the thread that measures, then */
    latencies     *all;                      /* of its mode, of all turns */
} turn;

static uint64_t began;                       /* uv_hrtime, of the run: its thread's own */

load_kind load_named(text name)
{
    int kind = 0;
    while (kind < LOADS && !text_equal(name, text_of(LOADS_ABOUT[kind].name)))
        kind++;
    return (load_kind)kind;
}

static void comparison_publish(text event, text data)
{
    topic *t;
    if (topic_open(TEXT(COMPARISON_TOPIC), &t))
        return;
    (void)topic_publish(t, 0, event, data);
    topic_close(t);
}

static void comparison_publish_state(void)
{
    comparison c;
    comparison_look(&c);
    char said[64];
    static const char *const STATES[] = { "none", "running", "done", "failed" };
    snprintf(said, sizeof said, "{\"run\":%u,\"state\":\"%s\"}", c.number, STATES[c.state]);
    comparison_publish(TEXT("state"), text_of(said));
}

static void comparison_publish_sample(const sample *s)
{
    arena a;
    buffer b;
    char room[1024];
    arena_init(&a, room, sizeof room);
    buffer_init(&b, &a);
    comparison_write_sample(&b, s);
    comparison_publish(TEXT("sample"), buffer_all(&b));
    arena_done(&a);
}

/* Processor time of the mode that has the turn. */
static uint64_t cpu_between(const turn *t, const account *from, const account *to, uint64_t generator, uint64_t own)
{
    const uint64_t others = generator + own + (t->mode == MODE_THREADS ? to->cpu_loops - from->cpu_loops : 0);
    const uint64_t all = to->cpu_all - from->cpu_all;
    return all > others ? all - others : 0;
}

static void turn_sample(turn *t, sample *s)
{
    generator_view v;
    generator_look(t->generator, &v);
    const account now = account_take();
    const uint64_t at = uv_hrtime(), ns = at - t->sampled_at, own = account_thread_cpu();
    const bool same = v.ns && t->seen.ns;    /* as measuring begins, counting begins anew */
    const long stacks = (long)(now.task_stacks + now.thread_stacks) - (long)(t->before.task_stacks + t->before.thread_stacks);
    const long rest = (long)now.resident - (long)t->before.resident - stacks;
    *s = (sample){
        .at_ms = (uint32_t)((at - began) / 1000000), .turn = t->number, .mode = (int)t->mode, .measures = v.ns > 0,
        .open = v.open, .held = v.held, .refused = v.refused, .failed = v.failed,
        .threads = t->mode == MODE_THREADS ? now.client_threads + 1 : here.loop_threads,
        .per_second = same ? (double)(v.answers - t->seen.answers) * 1e9 / (double)ns : 0,
        .cpu_percent = (double)cpu_between(t, &t->sampled, &now, v.cpu - t->seen.cpu, own - t->own) * 100 / (double)ns,
        .p50_ms = (double)latencies_percentile(&v.latencies, 50) / 1000,
        .p99_ms = (double)latencies_percentile(&v.latencies, 99) / 1000,
        .stacks = t->mode == MODE_THREADS ? now.thread_stacks : now.task_stacks,
        .kernel_stacks = (size_t)(t->mode == MODE_THREADS ? now.client_threads + 1 : here.loop_threads) * ACCOUNT_KERNEL_STACK,
        .rest = rest > 0 ? (size_t)rest : 0,
    };
    t->own = own;
    t->sampled = now;
    t->seen = v;
    t->sampled_at = at;
}

static int larger(int a, int b) { return a > b ? a : b; }

static void turn_keep_sample(turn *t)
{
    sample s;
    turn_sample(t, &s);
    pthread_mutex_lock(&here.lock);
    figures *f = &here.last.of[t->mode];
    f->held = larger(f->held, s.held);
    f->connections = larger(f->connections, s.open);
    f->threads = larger(f->threads, s.threads);
    /* Memory of the sample that has most of it, not the most of each kind. */
    if (s.stacks + s.kernel_stacks + s.rest > figures_memory(f)) {
        f->stacks = s.stacks;
        f->kernel_stacks = s.kernel_stacks;
        f->rest = s.rest;
    }
    if (here.last.samples < COMPARISON_SAMPLES)
        here.last.sample[here.last.samples++] = s;
    pthread_mutex_unlock(&here.lock);
    comparison_publish_sample(&s);
}

static bool comparison_is_ending(void) { return second_server_is_stopping(here.second); }

static void rest_ms(int ms)
{
    const struct timespec t = { ms / 1000, ms % 1000 * 1000000L };
    nanosleep(&t, NULL);
}

/* Samples for so long, or until is said; false: the server stops. */
static bool turn_wait(turn *t, int most, bool (*until)(generator *g))
{
    uint64_t next = uv_hrtime();
    const uint64_t end = next + (uint64_t)most * 1000000;
    for (uint64_t now; (now = uv_hrtime()) < end && !(until && until(t->generator));) {
        if (comparison_is_ending())
            return false;
        if (now >= next) {
            turn_keep_sample(t);
            next += TICK * 1000000;
        }
        rest_ms(LOOK);
    }
    turn_keep_sample(t);
    return true;
}

static range range_with(range r, bool first, double value)
{
    return (range){ first || value < r.low ? value : r.low, first || value > r.high ? value : r.high };
}

static void turn_add_figures(turn *t, const generator_view *v, uint64_t cpu, uint64_t others, uint64_t opening_ms)
{
    latencies_merge(t->all, &v->latencies);
    pthread_mutex_lock(&here.lock);
    figures *f = &here.last.of[t->mode];
    const bool first = f->turns++ == 0;
    f->ns += v->ns;
    f->answers += v->answers;
    f->refused += v->refused;
    f->failed += v->failed;
    f->cpu += cpu;
    f->others += others;
    f->opening_ms = opening_ms > f->opening_ms ? opening_ms : f->opening_ms;
    f->p50_ms = (double)latencies_percentile(t->all, 50) / 1000;
    f->p99_ms = (double)latencies_percentile(t->all, 99) / 1000;
    f->per_second = range_with(f->per_second, first, v->ns ? (double)v->answers * 1e9 / (double)v->ns : 0);
    f->tail = range_with(f->tail, first, (double)latencies_percentile(&v->latencies, 99) / 1000);
    pthread_mutex_unlock(&here.lock);
}

/* What it held has ended, or has had time to. */
static void turn_wait_until_left(const turn *t)
{
    size_t ignored;
    for (int waited = 0; waited < LEAVING && !comparison_is_ending(); waited += LOOK) {
        rest_ms(LOOK);
        if (waited >= TICK && footprint_threads(&ignored) <= t->before.client_threads)
            return;
    }
}

/* 0 or an error; UV_ECANCELED: the server stops. */
static int turn_run(turn *t, const generator_options *o)
{
    const uint64_t start = uv_hrtime();
    generator_view measured;
    int err = generator_start(&t->generator, o);
    if (err)
        return err;
    t->before = t->sampled = account_take();
    t->sampled_at = start;
    t->own = account_thread_cpu();
    bool goes_on = turn_wait(t, OPENING, generator_is_open);
    const uint64_t opening_ms = (uv_hrtime() - start) / 1000000;
    const account from = account_take();
    const uint64_t own_from = account_thread_cpu(), load_from = t->seen.cpu;
    generator_measure(t->generator);
    goes_on = goes_on && turn_wait(t, t->measures_ms, NULL);
    const account to = account_take();
    generator_look(t->generator, &measured);
    const uint64_t cpu = cpu_between(t, &from, &to, measured.cpu - load_from, account_thread_cpu() - own_from);
    const uint64_t busy = to.busy - from.busy, ours = to.cpu_all - from.cpu_all;
    turn_add_figures(t, &measured, cpu, busy > ours ? busy - ours : 0, opening_ms);
    generator_stop(t->generator, &measured);
    turn_wait_until_left(t);
    return goes_on ? 0 : UV_ECANCELED;
}

/* As many as there is room for, and why they are less than asked for; below COMPARISON_LEAST: none. */
static int connections_of(int asked, char *why, size_t size)
{
    const int limit = machine_open_files(), used = machine_files_in_use(), room = (limit - used - SPARE) / 2;
    const int served = here.threads_most - WATCHERS, both = room < served ? room : served;
    const int most = both < asked ? both : asked;
    if (most < asked && served < room)
        snprintf(why, size, "The limit of open files is %d, and [threads] max is %d: so there is room for %d at once, instead"
                 " of %d. ulimit -n raises both.", limit, here.threads_most, most > 0 ? most : 0, asked);
    else if (most < asked)
        snprintf(why, size, "The limit of open files is %d, of which %d are in use; each request takes two, one at each end: so"
                 " there is room for %d at once, instead of %d. ulimit -n raises it.", limit, used, most > 0 ? most : 0, asked);
    return most;
}

static void comparison_fail(const char *why)
{
    pthread_mutex_lock(&here.lock);
    here.last.state = COMPARISON_FAILED;
    snprintf(here.last.why, sizeof here.last.why, "%s", why);
    pthread_mutex_unlock(&here.lock);
}

static int comparison_open(char address[MODES][128])
{
    char why[256], words[COMPARISON_WHY];
    const int err = second_server_open(here.second, NULL, why, sizeof why);
    if (err) {
        snprintf(words, sizeof words, "The second server, for %s mode, cannot be opened: %s.",
                 MODE_NAMES[second_server_mode(here.second)], why);
        comparison_fail(words);
        return err;
    }
    snprintf(address[here.first], sizeof address[0], "%s", second_server_first_address(here.second));
    snprintf(address[MODES - 1 - here.first], sizeof address[0], "%s", second_server_address(here.second));
    return 0;
}

static int comparison_run_turns(char address[MODES][128], load_kind kind, int measures_ms, int connections)
{
    static latencies all[MODES];             /* one run at a time */
    memset(all, 0, sizeof all);
    int err = 0;
    for (int i = 0; i < COMPARISON_TURNS && !err; i++) {
        turn t = { .number = i, .measures_ms = measures_ms, .mode = TURNS[i], .all = &all[TURNS[i]] };
        err = turn_run(&t, &(generator_options){ address[t.mode], connections, REQUESTS[kind].kinds, REQUESTS[kind].requests });
    }
    return err;
}

static void comparison_run(void)
{
    char address[MODES][128] = { "", "" }, why[COMPARISON_WHY] = "";
    pthread_mutex_lock(&here.lock);
    const load_kind kind = here.last.kind;
    const int asked = here.last.asked, measures_ms = here.last.measures_ms;
    pthread_mutex_unlock(&here.lock);

    if (comparison_open(address))
        return;
    const int connections = connections_of(asked, why, sizeof why);
    if (connections < COMPARISON_LEAST) {
        comparison_fail(why);
        return;
    }
    pthread_mutex_lock(&here.lock);
    memcpy(here.last.address, address, sizeof address);
    memcpy(here.last.why, why, sizeof why);
    here.last.connections = connections;
    pthread_mutex_unlock(&here.lock);
    const int err = comparison_run_turns(address, kind, measures_ms, connections);
    if (!err) {
        pthread_mutex_lock(&here.lock);
        here.last.state = COMPARISON_DONE;
        pthread_mutex_unlock(&here.lock);
    } else {
        snprintf(why, sizeof why, err == UV_ECANCELED ? "The server stops." : "The load cannot be made: %s.", uv_strerror(err));
        comparison_fail(why);
    }
}

static void *comparison_thread(void *arg)
{
    (void)arg;
    began = uv_hrtime();
    comparison_publish_state();
    comparison_run();
    pthread_mutex_lock(&here.lock);
    here.running = false;
    pthread_mutex_unlock(&here.lock);
    comparison_publish_state();
    return NULL;
}

int comparison_start(load_kind kind, int requests, int measures_ms)
{
    int err = 0;
    pthread_mutex_lock(&here.lock);
    if (!here.second)
        err = UV_ENOTSUP;
    else if (here.running)
        err = UV_EBUSY;
    else if (comparison_is_ending())
        err = UV_ESHUTDOWN;
    if (!err && here.joinable)
        pthread_join(here.thread, NULL);     /* it has ended but for its last words */
    if (!err) {
        here.joinable = false;
        here.last = (comparison){ .state = COMPARISON_RUNNING, .number = here.last.number + 1, .kind = kind, .asked = requests,
                                  .measures_ms = measures_ms };
        err = thread_start(&here.thread, comparison_thread, NULL);
        here.running = here.joinable = !err;
        if (err)
            here.last.state = COMPARISON_NONE;
    }
    pthread_mutex_unlock(&here.lock);
    return err;
}

void comparison_look(comparison *c)
{
    pthread_mutex_lock(&here.lock);
    *c = here.last;
    pthread_mutex_unlock(&here.lock);
}

void comparison_configure(second_server *s, const config *c)
{
    here.second = s;
    here.first = c->server.mode;
    here.loop_threads = c->server.workers + c->threads.pool;
    here.threads_most = c->threads.max;
}

void comparison_end(void)
{
    if (here.joinable)
        pthread_join(here.thread, NULL);
    here.joinable = false;
    here.second = NULL;
}
