/* watchdog.c - see watchdog.h. The lock keeps loops from ending while they are looked at. What is to be logged is
 * gathered under it, and logged without. */
#include "watchdog.h"
#include "stall_detector.h"
#include "task_dump.h"
#include "crash_handler.h"
#include "unawaited_log.h"
#include "server/async/loop.h"
#include "server/base/list.h"
#include "server/base/memory.h"
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
    const struct list *tasks;                /* for tenk-gdb.py */
    uv_async_t         dump;
} watched;

static struct {
    pthread_mutex_t lock;                    /* of the list of loops */
    list            loops;
    int             count;                   /* of them, ever */
    pthread_t       thread;
    uint64_t        slow;
    int             bell;                    /* an eventfd */
    atomic_bool     running, dump;
} watch = { .lock = PTHREAD_MUTEX_INITIALIZER, .bell = -1 };

static _Thread_local watched *here;

static uint64_t now_ms(void) { return uv_hrtime() / 1000000; }

static bool look_at_loops(uint64_t late)
{
    report *reports = NULL;
    bool again = false;
    pthread_mutex_lock(&watch.lock);
    for (list_node *n = watch.loops.first; n; n = n->next)
        again |= stall_detector_look(&container_of(n, watched, node)->detector, watch.slow, late, &reports);
    pthread_mutex_unlock(&watch.lock);
    stall_reports_log(reports);
    return again;
}

/* The thread. */

static void ask_for_dumps(void)
{
    pthread_mutex_lock(&watch.lock);
    for (list_node *n = watch.loops.first; n; n = n->next)
        uv_async_send(&container_of(n, watched, node)->dump);
    pthread_mutex_unlock(&watch.lock);
}

static int earlier(uint64_t a, uint64_t b)
{
    const uint64_t ms = a < b ? a : b;
    return ms > 3600000 ? -1 : (int)ms;
}

static void *run(void *arg)
{
    const uint64_t pause = watch.slow ? (watch.slow + 3) / 4 : UINT64_MAX;
    bool blocked = false;
    while (atomic_load(&watch.running)) {
        const uint64_t begun = now_ms(), due = unawaited_log_flush(false);
        const uint64_t look = blocked && pause > LOOK_AGAIN ? LOOK_AGAIN : pause;
        eventfd_t rung;
        poll(&(struct pollfd){ watch.bell, POLLIN, 0 }, 1, earlier(look, due));
        eventfd_read(watch.bell, &rung);
        if (atomic_exchange(&watch.dump, false))
            ask_for_dumps();
        task_dump_log();
        const uint64_t slept = now_ms() - begun;
        if (watch.slow)
            blocked = look_at_loops(slept > look ? slept - look : 0);
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

static void ring(void)
{
    if (eventfd_write(watch.bell, 1)) {      /* it is rung already */
    }
}

void watchdog_dump(void)
{
    atomic_store(&watch.dump, true);
    ring();
}

bool watchdog_wake(void)
{
    if (!atomic_load(&watch.running))
        return false;
    ring();
    return true;
}

int watchdog_start(uint64_t slow_ms)
{
    sigset_t all, before;
    watch.slow = slow_ms;
    watch.bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (watch.bell < 0)
        return -errno;
    stack_sampler_install();
    unawaited_log_set_wake(watchdog_wake);
    struct sigaction own = { .sa_handler = on_sigusr2, .sa_flags = SA_ONSTACK | SA_RESTART };
    sigemptyset(&own.sa_mask);
    sigaction(SIGUSR2, &own, NULL);
    atomic_store(&watch.running, true);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);             /* it inherits that: signals are for others */
    const int err = pthread_create(&watch.thread, NULL, run, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (err)
        atomic_store(&watch.running, false);
    return -err;
}

void watchdog_stop(void)
{
    signal(SIGUSR2, SIG_IGN);
    atomic_store(&watch.running, false);
    ring();
    pthread_join(watch.thread, NULL);
    close(watch.bell);
    watch.bell = -1;
    task_dump_log();
    task_dump_stacks();
    unawaited_log_flush(true);
}

/* Loops. */

static void on_dump(uv_async_t *a)
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
    uv_async_init(loop_here(), &w->dump, on_dump);
    uv_unref((uv_handle_t *)&w->dump);
    crash_handler_thread_begin(NULL);
    pthread_mutex_lock(&watch.lock);
    stall_detector_begin(&w->detector, ++watch.count);
    list_push(&watch.loops, &w->node);
    pthread_mutex_unlock(&watch.lock);
}

static void on_closed(uv_handle_t *h) { mem_free(container_of(h, watched, dump)); }

void watchdog_loop_end(void)
{
    watched *w = here;
    report *reports = NULL;
    pthread_mutex_lock(&watch.lock);
    list_remove(&w->node);
    stall_detector_end(&w->detector, &reports);
    pthread_mutex_unlock(&watch.lock);
    stall_reports_log(reports);
    crash_handler_thread_end();
    uv_close((uv_handle_t *)&w->dump, on_closed);
    here = NULL;
}
