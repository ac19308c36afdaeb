/* phases.c - a turn of the loop: a callback in each of its phases, and what runs between any two of them. */
#include "pattern.h"
#include "server/async/loop.h"
#include "server/async/schedule.h"

#include <unistd.h>

enum phase { SCRIPT, TICK, MICROTASK, TIMERS, PENDING, IDLE, PREPARE, POLL, CHECK, CLOSE, PHASE_COUNT };

struct turn {
    track       *line[PHASE_COUNT];
    uv_timer_t   timer, unused;
    uv_idle_t    idle;
    uv_prepare_t prepare;
    uv_check_t   check;
    uv_pipe_t    near, far;                  /* what is written to one is read from the other */
    uv_write_t   write;
    char         read[8];
    int          waiting, open;              /* for callbacks; handles, at the end */
    int          turns;                      /* that have come to their check phase */
    int          err;
    run         *run;
    void       (*done)(int err, void *arg);
    void        *arg;
};

static bool open_all(struct turn *t);
static void close_all(struct turn *t);

#define arrived(t, phase, what) arrived_at(t, phase, what, __LINE__)

static void arrived_at(struct turn *t, enum phase p, const char *what, int line)
{
    track_mark_at(t->line[p], what, line);
    if (--t->waiting == 0)
        close_all(t);
}

SHOW_FROM(phases)
static void tick(void *arg)              { arrived(arg, TICK, "next_tick"); }
static void tick_of_task(void *arg)      { arrived(arg, TICK, "next_tick, of that"); }
static void tick_of_timer(void *arg)     { arrived(arg, TICK, "next_tick, of the timer"); }
static void task_of_timer(void *arg)     { arrived(arg, MICROTASK, "queue_microtask, of the timer"); }
static void second_immediate(void *arg)  { arrived(arg, CHECK, "set_immediate, of the first one"); }

static void microtask(void *arg)
{
    next_tick(tick_of_task, arg);
    arrived(arg, MICROTASK, "queue_microtask");
}

static void timeout(void *arg)
{
    struct turn *t = arg;
    figure_is(t->run, "turns until set_timeout of 1 ms", t->turns, "");
    arrived(t, TIMERS, "set_timeout of 1 ms");
}

/* libuv's own, between loop_enter and loop_leave: what they ask for runs with the latter. */

static void on_timer(uv_timer_t *h)
{
    loop_enter();
    queue_microtask(task_of_timer, h->data);
    next_tick(tick_of_timer, h->data);
    arrived(h->data, TIMERS, "uv_timer of 0 ms");
    loop_leave();
}

static void on_written(uv_write_t *w, int err)
{
    struct turn *t = w->handle->data;
    loop_enter();
    t->err = t->err ? t->err : err;
    arrived(t, PENDING, "uv_write has written");
    loop_leave();
}

static void on_idle(uv_idle_t *h)
{
    loop_enter();
    uv_idle_stop(h);
    arrived(h->data, IDLE, "uv_idle");
    loop_leave();
}

static void on_prepare(uv_prepare_t *h)
{
    loop_enter();
    uv_prepare_stop(h);
    arrived(h->data, PREPARE, "uv_prepare");
    loop_leave();
}

static void on_room(uv_handle_t *h, size_t size, uv_buf_t *room)
{
    struct turn *t = h->data;
    (void)size;
    *room = uv_buf_init(t->read, sizeof t->read);
}

static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *room)
{
    struct turn *t = s->data;
    (void)room;
    if (n == 0)                              /* nothing yet, after all */
        return;
    loop_enter();
    t->err = t->err || n > 0 ? t->err : (int)n;
    uv_read_stop(s);
    arrived(t, POLL, "uv_read: it can be read");
    loop_leave();
}

static void on_check(uv_check_t *h)          /* in each turn; it tells nothing */
{
    struct turn *t = h->data;
    t->turns++;
}

static void on_unused_closed(uv_handle_t *h)
{
    loop_enter();
    arrived(h->data, CLOSE, "uv_close has closed");
    loop_leave();
}

/* Asked for in an order that is not that of their coming. */
static void first_immediate(void *arg)
{
    struct turn *t = arg;
    uv_buf_t hello = uv_buf_init("hello", 5);
    set_immediate(second_immediate, t);
    set_timeout(timeout, t, 1);
    uv_check_start(&t->check, on_check);
    uv_read_start((uv_stream_t *)&t->far, on_room, on_read);
    uv_write(&t->write, (uv_stream_t *)&t->near, &hello, 1, on_written);
    uv_prepare_start(&t->prepare, on_prepare);
    uv_idle_start(&t->idle, on_idle);
    uv_timer_start(&t->timer, on_timer, 0, 0);
    uv_timer_init(loop_here(), &t->unused);
    t->unused.data = t;
    uv_close((uv_handle_t *)&t->unused, on_unused_closed);
    arrived(t, CHECK, "set_immediate");
}

static void run_phases(run *r, void (*done)(int err, void *arg), void *arg)
{
    static const char *const NAMES[] = {
        "this function", "ticks", "microtasks", "timers", "pending", "idle", "prepare", "poll", "check", "close",
    };
    struct turn *t = run_alloc(r, sizeof *t);
    *t = (struct turn){ .run = r, .done = done, .arg = arg, .waiting = 15 };
    for (int i = 0; i < PHASE_COUNT; i++)
        t->line[i] = track_begin(run_track(r), NAMES[i]);
    if (!open_all(t))
        return;

    set_immediate(first_immediate, t);
    queue_microtask(microtask, t);
    next_tick(tick, t);
    arrived(t, SCRIPT, "this function returns");
}
SHOW_TO(phases)

enum { HANDLES = 6 };

static void on_closed(uv_handle_t *h)
{
    struct turn *t = h->data;
    if (--t->open > 0)
        return;
    loop_enter();
    for (int i = 0; i < PHASE_COUNT; i++)
        track_end(t->line[i], 0);
    t->done(t->err, t->arg);
    loop_leave();
}

static void each_handle(struct turn *t, void (*use)(struct turn *t, uv_handle_t *h))
{
    uv_handle_t *const all[HANDLES] = {
        (uv_handle_t *)&t->timer, (uv_handle_t *)&t->idle, (uv_handle_t *)&t->prepare, (uv_handle_t *)&t->check,
        (uv_handle_t *)&t->near,  (uv_handle_t *)&t->far,
    };
    for (int i = 0; i < HANDLES; i++)
        use(t, all[i]);
}

static void give_turn(struct turn *t, uv_handle_t *h)
{
    h->data = t;
    t->open++;
}

static void close_handle(struct turn *t, uv_handle_t *h)
{
    (void)t;
    uv_close(h, on_closed);
}

static void close_all(struct turn *t) { each_handle(t, close_handle); }

static int open_pair(struct turn *t)
{
    uv_os_sock_t pair[2];
    int err = uv_socketpair(SOCK_STREAM, 0, pair, UV_NONBLOCK_PIPE, UV_NONBLOCK_PIPE);
    if (err)
        return err;
    err = uv_pipe_open(&t->near, pair[0]);
    if (err)
        close(pair[0]);
    const int failed = uv_pipe_open(&t->far, pair[1]);
    if (failed)
        close(pair[1]);
    return err ? err : failed;
}

/* False: it ends with an error, soon. */
static bool open_all(struct turn *t)
{
    uv_loop_t *loop = loop_here();
    uv_timer_init(loop, &t->timer);
    uv_idle_init(loop, &t->idle);
    uv_prepare_init(loop, &t->prepare);
    uv_check_init(loop, &t->check);
    uv_pipe_init(loop, &t->near, 0);
    uv_pipe_init(loop, &t->far, 0);
    each_handle(t, give_turn);
    t->err = open_pair(t);
    if (t->err)
        close_all(t);
    return !t->err;
}

const pattern PATTERN_PHASES = {
    .name = "phases", .title = "Phases, ticks and microtasks", .group = GROUP_LOOP, .in_order = true,
    .callback = run_phases, SOURCE_OF(phases),
    .not_in_threads = "A blocking thread has no loop, and so no phases.",
    .shows = "A callback in each phase of a turn, asked for in another order than that of their coming. What always holds, here"
             " as in Node, whose loop is libuv's too: after check comes close, then timers, pending, idle, prepare, poll, and"
             " check again, for the turns are a circle. After each callback come the ticks that it asked for, then the"
             " microtasks, before any other callback. What does not hold is that a timer of 1 ms comes in the next turn: it is"
             " called in the timers phase of the first turn that finds its time over, before the second immediate or after it.",
};
