/* hundred_sleepers.c - a hundred tasks that sleep beside a hundred threads that do, and what either takes. */
#include "memory_use.h"
#include "pattern.h"
#include "server/async/context/stack.h"
#include "server/async/loop.h"
#include "server/base/thread.h"

enum { HUNDRED = 100 };

struct sleepers {                            /* of one kind */
    run        *r;
    const char *asleep;                      /* the name of the curve */
    uv_mutex_t  lock;                        /* of what follows: threads share it */
    uv_cond_t   changed;
    bool        over;                        /* wake up, whatever the time */
    int         count;                       /* asleep now */
    int64_t     slept;                       /* microseconds, all together */
};

struct sleeper {
    struct sleepers *all;
    pthread_t  thread;
    track     *parent;                       /* of a thread's row; NULL: it has none */
    void      *stack;
    size_t     size;
};

static struct sleepers *sleepers_new(run *r, const char *asleep)
{
    struct sleepers *s = run_alloc(r, sizeof *s);
    s->r = r;
    s->asleep = asleep;
    uv_mutex_init(&s->lock);
    uv_cond_init(&s->changed);
    return s;
}

static void sleepers_done(struct sleepers *s)
{
    uv_cond_destroy(&s->changed);
    uv_mutex_destroy(&s->lock);
}

static void sleepers_count(struct sleepers *s, int change, uint64_t slept)
{
    uv_mutex_lock(&s->lock);
    s->count += change;
    s->slept += (int64_t)(slept / 1000);
    track_value(s->r->root, s->asleep, s->count);
    uv_mutex_unlock(&s->lock);
}

static int sleepers_asleep(struct sleepers *s)
{
    uv_mutex_lock(&s->lock);
    const int count = s->count;
    uv_mutex_unlock(&s->lock);
    return count;
}

static void wake_all(struct sleepers *s)
{
    uv_mutex_lock(&s->lock);
    s->over = true;
    uv_cond_broadcast(&s->changed);
    uv_mutex_unlock(&s->lock);
}

static void find_stack(struct sleeper *s)    /* of a thread */
{
    pthread_attr_t a;
    if (pthread_getattr_np(s->thread, &a))
        return;
    pthread_attr_getstack(&a, &s->stack, &s->size);
    pthread_attr_destroy(&a);
}

static int64_t stack_of_each(const struct sleeper all[])     /* bytes of it in memory, on average */
{
    int64_t bytes = 0;
    for (int i = 0; i < HUNDRED; i++)
        bytes += (int64_t)memory_resident(all[i].stack, all[i].size);
    return bytes / HUNDRED;
}

SHOW_FROM(hundred)
enum { NAP = 1000, ONE_IN = 5 };             /* milliseconds; of so many one is drawn */

static async int sleep_as_task(void *arg)
{
    struct sleeper *me = arg;
    const uint64_t since = uv_hrtime();
    me->stack = task_stack()->base;
    me->size = task_stack()->size;
    sleepers_count(me->all, +1, 0);
    const int err = await(sleep_for(NAP));
    sleepers_count(me->all, -1, uv_hrtime() - since);
    return err;
}

static void *sleep_as_thread(void *arg)
{
    struct sleeper *me = arg;
    struct sleepers *s = me->all;
    track *row = track_begin_at(me->parent, "a thread, one of five", __LINE__);
    track_enter(row);
    sleepers_count(s, +1, 0);
    track_expects("uv_cond_timedwait(...)", __LINE__ + 4);   /* and so the wait begins */
    const uint64_t since = uv_hrtime(), until = since + NAP * 1000000ULL;
    uv_mutex_lock(&s->lock);
    for (uint64_t now; !s->over && (now = uv_hrtime()) < until;)
        uv_cond_timedwait(&s->changed, &s->lock, until - now);
    uv_mutex_unlock(&s->lock);
    track_wakes(row, 0);
    sleepers_count(s, -1, uv_hrtime() - since);
    track_end(row, 0);
    return NULL;
}

static promise *start_task(struct sleeper *me, bool drawn)
{
    track *const mine = track_enter(drawn ? track_here : NULL);
    promise *p = task_start("a task, one of five", sleep_as_task, me);
    track_enter(mine);
    return p;
}

static int start_thread(struct sleeper *me, bool drawn)
{
    me->parent = drawn ? run_track(me->all->r) : NULL;
    return thread_start(&me->thread, sleep_as_thread, me);
}

/* Without blocking the loop, unless the run is cancelled: then they are woken, and are gone soon. */
static async int join_threads(struct sleepers *s, struct sleeper threads[], int count, int err)
{
    if (err)
        wake_all(s);
    for (int i = 0; i < count; i++) {
        while (!err && pthread_tryjoin_np(threads[i].thread, NULL) == EBUSY) {
            err = await(sleep_for(1));
            if (err)
                wake_all(s);
        }
        if (err)
            pthread_join(threads[i].thread, NULL);
    }
    return err;
}

static async int run_tasks(run *r, struct sleepers *s, promise **asleep)
{
    struct sleeper *tasks = run_alloc(r, HUNDRED * sizeof *tasks);
    promise *each[HUNDRED];
    for (int i = 0; i < HUNDRED; i++) {
        tasks[i] = (struct sleeper){ .all = s };
        each[i] = start_task(&tasks[i], i % ONE_IN == 0);
    }
    *asleep = promise_gather(each, HUNDRED);
    int err = 0;
    while (s->count < HUNDRED && !err)
        err = task_yield();
    if (!err) {
        figure_is(r, "stack of a task, in memory", stack_of_each(tasks), "bytes");
        figure_is(r, "set aside for it", (int64_t)tasks[0].size / 1024, "KiB");
    }
    return err;
}

static async int run_threads(run *r, struct sleepers *s)
{
    struct sleeper *threads = run_alloc(r, HUNDRED * sizeof *threads);
    const int64_t tables = memory_of_process("VmPTE"), kernel = memory_of_machine("KernelStack");
    int started = 0, err = 0;
    for (; started < HUNDRED && !err; started += !err) {
        threads[started].all = s;
        err = started % 10 == 9 ? task_yield() : 0;          /* to start one takes a while */
        if (!err)
            err = start_thread(&threads[started], started % ONE_IN == 0);
    }
    while (sleepers_asleep(s) < started && !err)
        err = await(sleep_for(1));
    for (int i = 0; i < started; i++)
        find_stack(&threads[i]);
    if (!err) {
        figure_is(r, "stack of a thread, in memory", stack_of_each(threads), "bytes");
        figure_is(r, "set aside for that", (int64_t)threads[0].size / 1024, "KiB");
        figure_is(r, "its page tables", (memory_of_process("VmPTE") - tables) * 1024 / HUNDRED, "bytes");
        figure_is(r, "its stack in the kernel", (memory_of_machine("KernelStack") - kernel) * 1024 / HUNDRED, "bytes");
    }
    if (!err)
        err = await(sleep_for(NAP));
    const int failed = join_threads(s, threads, started, err);
    return err ? err : failed;
}

static async int run_hundred(run *r)
{
    struct sleepers *tasks = sleepers_new(r, "tasks asleep"), *threads = sleepers_new(r, "threads asleep");
    promise *asleep = NULL;                  /* tasks of a blocking thread would sleep one after the other */
    int err = loop_here() ? run_tasks(r, tasks, &asleep) : 0;
    if (!err)
        err = run_threads(r, threads);
    const int failed = asleep ? await(asleep) : 0;
    figure_is(r, "slept, all together", (tasks->slept + threads->slept) / 1000000, "s");
    sleepers_done(tasks);
    sleepers_done(threads);
    return err ? err : failed;
}
SHOW_TO(hundred)

const pattern PATTERN_HUNDRED_SLEEPERS = {
    .name = "hundred-sleepers", .title = "A hundred sleepers in one second", .group = GROUP_MANY, .await = run_hundred,
    SOURCE_OF(hundred), .heavy = true, .visited = true,
    .shows = "A hundred tasks sleep for a second each, and beside them a hundred threads. Both are done after one second: a"
             " thread waits as well as a task does. What differs is what it takes meanwhile. Either has a stack, of which only"
             " what was touched is in memory; a thread has one in the kernel, too, and page tables of its own, and far more"
             " address space is set aside for its stack. In threads mode there are only the threads: tasks of one thread that"
             " blocks would sleep one after the other.",
};
