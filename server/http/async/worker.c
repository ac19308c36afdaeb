/* worker.c - see worker.h: one turn after the other. */
#include "worker.h"

_Thread_local worker *worker_here;

/* As long as anything waits for the next turn, that begins at once. */
static void stay_awake_if_needed(worker *w)
{
    if ((!w->due.first && !w->later.first) || w->is_awake)
        return;
    w->is_awake = true;
    loop_immediate(&w->awake);
}

static void stay_awake(ready *r)
{
    (void)r;
    worker_here->is_awake = false;
    stay_awake_if_needed(worker_here);
}

static void append(worker_list *to, ready *first, ready **last)
{
    if (!to->first)
        to->last = &to->first;
    *to->last = first;
    to->last = last;
}

/* What was put off in earlier turns, until the time is up. What has been put off since is due in the next. */
static void run_due(worker *w)
{
    for (ready *r; (r = w->due.first) && !worker_turn_is_over(uv_hrtime());) {
        w->due.first = r->next;
        loop_enter();
        r->run(r);
        loop_leave();
    }
    if (w->later.first)
        append(&w->due, w->later.first, w->later.last);
    w->later.first = NULL;
}

static void on_check(uv_check_t *h)
{
    worker *w = (worker *)((char *)h - offsetof(worker, check));
    w->turn_end = 0;                         /* I/O has had its time: those who wait have as much */
    loop_enter();
    admission_serve(&w->admission);
    loop_leave();
    run_due(w);
    w->turn_end = 0;                         /* the next turn's begins when something comes, which may be long from now */
}

void worker_next_turn(ready *r)
{
    worker *w = worker_here;
    r->next = NULL;
    append(&w->later, r, &r->next);
    stay_awake_if_needed(w);
}

int worker_open(worker *w)
{
    worker_here = w;
    w->awake.run = stay_awake;
    admission_open(&w->admission, w->config);
    uv_check_init(loop_here(), &w->check);
    uv_check_start(&w->check, on_check);
    uv_unref((uv_handle_t *)&w->check);
    return connections_open();
}

void worker_close(worker *w)
{
    admission_close(&w->admission);
    uv_close((uv_handle_t *)&w->check, NULL);
    poller_close(&w->poller);
}

bool worker_turn_is_over(uint64_t now)
{
    worker *w = worker_here;
    if (!w->turn_end)
        w->turn_end = now + TURN_BUDGET * (uint64_t)1000000;
    return now >= w->turn_end;
}
