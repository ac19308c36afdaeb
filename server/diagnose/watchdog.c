/* watchdog.c - see watchdog.h. The lock keeps loops from ending while they are looked at. What is to be logged is
 * gathered under it, and logged without. */
#include "watchdog.h"
#include "stall_detector.h"
#include "task_dump.h"
#include "crash_handler.h"
#include "unawaited_log.h"
#include "server/async/loop.h"
#include "server/base/observe/layout.h"
#include "server/base/list.h"
#include "server/base/memory.h"
#include "server/base/thread.h"
#include "server/async/task.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { LOOK_AGAIN = 5 };                     /* ms, while a loop is blocked */

/* A loop. Its own thread makes it, and frees it. */
typedef struct watched {
    list_node          node;
    stall_detector     detector;
    const struct list *tasks;                /* for who looks from outside */
    uv_async_t         dump;
} watched;

static struct {
    pthread_mutex_t lock;                    /* of the list of loops */
    list            loops;
    int             count;                   /* of them, ever */
    pthread_t       thread;
    uint64_t        slow;
    int             wake;                    /* an eventfd */
    atomic_bool     running, dump;
} watchdog = { .lock = PTHREAD_MUTEX_INITIALIZER, .wake = -1 };

static const layout_entry WATCHDOG_LAYOUT[] LAYOUT_ENTRIES = {
    LAYOUT_ADDRESS("loops", &watchdog.loops),
    LAYOUT_SIZE("watched", watched),
    LAYOUT_FIELD("watched.node", watched, node),
    LAYOUT_FIELD("watched.tasks", watched, tasks),
    LAYOUT_FIELD("watched.number", watched, detector.number),
    LAYOUT_FIELD("watched.thread", watched, detector.id),
    LAYOUT_FIELD("watched.entered", watched, detector.entered),
    LAYOUT_FIELD("watched.own", watched, detector.own),
    LAYOUT_FIELD("watched.activity", watched, detector.sampler.activity),
    LAYOUT_FIELD("watched.sample_sequence", watched, detector.sampler.sample.sequence),
    LAYOUT_FIELD("watched.sample_count", watched, detector.sampler.sample.count),
    LAYOUT_FIELD("watched.sample_frames", watched, detector.sampler.sample.frames),
};

static _Thread_local watched *here;

static uint64_t now_ms(void) { return uv_hrtime() / 1000000; }

static bool watchdog_look_at_loops(uint64_t late)
{
    stall_report *reports = NULL;
    bool again = false;
    pthread_mutex_lock(&watchdog.lock);
    for (list_node *n = watchdog.loops.first; n; n = n->next)
        again |= stall_detector_look(&container_of(n, watched, node)->detector, watchdog.slow, late, &reports);
    pthread_mutex_unlock(&watchdog.lock);
    stall_reports_log(reports);
    return again;
}

/* The thread. */

static int earlier_ms(uint64_t a, uint64_t b)
{
    const uint64_t ms = a < b ? a : b;
    return ms > 3600000 ? -1 : (int)ms;
}

static void watchdog_ask_all(void)
{
    pthread_mutex_lock(&watchdog.lock);
    for (list_node *n = watchdog.loops.first; n; n = n->next)
        uv_async_send(&container_of(n, watched, node)->dump);
    pthread_mutex_unlock(&watchdog.lock);
    task_dump_log_others();
}

static void *watchdog_run(void *arg)
{
    const uint64_t pause = watchdog.slow ? (watchdog.slow + 3) / 4 : UINT64_MAX;
    bool blocked = false;
    while (atomic_load(&watchdog.running)) {
        const uint64_t begun = now_ms(), due = unawaited_log_flush(false);
        const uint64_t look = blocked && pause > LOOK_AGAIN ? LOOK_AGAIN : pause;
        eventfd_t woken;
        poll(&(struct pollfd){ watchdog.wake, POLLIN, 0 }, 1, earlier_ms(look, due));
        eventfd_read(watchdog.wake, &woken);
        if (atomic_exchange(&watchdog.dump, false))
            watchdog_ask_all();
        task_dump_log();
        const uint64_t slept = now_ms() - begun;
        if (watchdog.slow)
            blocked = watchdog_look_at_loops(slept > look ? slept - look : 0);
    }
    return arg;
}

static void on_sigusr2(int number)
{
    const int saved = errno;
    (void)number;
    watchdog_dump();
    errno = saved;
}

static void watchdog_wake_thread(void)
{
    if (eventfd_write(watchdog.wake, 1)) {      /* it is woken already */
    }
}

bool watchdog_dump(void)
{
    atomic_store(&watchdog.dump, true);
    return watchdog_wake();
}

bool watchdog_wake(void)
{
    if (!atomic_load(&watchdog.running))
        return false;
    watchdog_wake_thread();
    return true;
}

int watchdog_start(uint64_t slow_ms)
{
    watchdog.slow = slow_ms;
    watchdog.wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (watchdog.wake < 0)
        return -errno;
    stack_sampler_install();
    unawaited_log_set_wake(watchdog_wake);
    struct sigaction own = { .sa_handler = on_sigusr2, .sa_flags = SA_ONSTACK | SA_RESTART };
    sigemptyset(&own.sa_mask);
    sigaction(SIGUSR2, &own, NULL);
    atomic_store(&watchdog.running, true);
    const int err = thread_start(&watchdog.thread, watchdog_run, NULL);
    if (err) {
        signal(SIGUSR2, SIG_IGN);
        atomic_store(&watchdog.running, false);
        close(watchdog.wake);
    }
    return err;
}

void watchdog_stop(void)
{
    signal(SIGUSR2, SIG_IGN);
    atomic_store(&watchdog.running, false);
    watchdog_wake_thread();
    pthread_join(watchdog.thread, NULL);
    close(watchdog.wake);
    watchdog.wake = -1;
    task_dump_log();
    task_dump_stacks();
    unawaited_log_flush(true);
}

/* Loops. */

static void watched_on_dump(uv_async_t *a)
{
    loop_enter();
    task_dump_take(container_of(a, watched, dump)->detector.number);
    watchdog_wake();
    loop_leave();
}

void watchdog_loop_begin(void)
{
    watched *w = here = mem_alloc(sizeof *w);
    w->tasks = task_list();
    uv_async_init(loop_here(), &w->dump, watched_on_dump);
    uv_unref((uv_handle_t *)&w->dump);
    crash_handler_thread_begin(NULL);
    pthread_mutex_lock(&watchdog.lock);
    stall_detector_begin(&w->detector, ++watchdog.count);
    list_push(&watchdog.loops, &w->node);
    pthread_mutex_unlock(&watchdog.lock);
}

static void watched_on_closed(uv_handle_t *h) { mem_free(container_of(h, watched, dump)); }

void watchdog_loop_end(void)
{
    watched *w = here;
    stall_report *reports = NULL;
    pthread_mutex_lock(&watchdog.lock);
    list_remove(&w->node);
    stall_detector_end(&w->detector, &reports);
    pthread_mutex_unlock(&watchdog.lock);
    stall_reports_log(reports);
    crash_handler_thread_end();
    uv_close((uv_handle_t *)&w->dump, watched_on_closed);
    here = NULL;
}
