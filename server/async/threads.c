/* threads.c - see threads.h. The lane is per loop, so it needs no lock. */
#include "threads.h"
#include "loop.h"
#include "server/memory.h"

#include <stdio.h>
#include <stdlib.h>

struct job {
    uv_work_t   work;                        /* must be first */
    promise    *promise;
    int       (*fn)(void *);
    void       *arg;
    int         result;
    struct job *next, **link;                /* in line; link is NULL once it has been submitted */
};

static _Thread_local pool jobs = POOL(struct job);

static struct { int running, waiting; } limit = { 4, 1024 };

static _Thread_local struct { int running, waiting; struct job *first, **last; } lane;

static void submit(struct job *j);

void threads_configure(int threads, int running, int waiting)
{
    char n[16];
    snprintf(n, sizeof n, "%d", threads);
    setenv("UV_THREADPOOL_SIZE", n, 1);
    limit.running = running;
    limit.waiting = waiting;
}

static void leave_line(struct job *j)
{
    *j->link = j->next;
    if (j->next)
        j->next->link = j->link;
    else
        lane.last = j->link;
    j->link = NULL;
    lane.waiting--;
}

static void finish(struct job *j, int err)
{
    promise_settle(j->promise, err);
    pool_put(&jobs, j);
}

static void work(uv_work_t *w)
{
    struct job *j = (struct job *)w;
    j->result = j->fn(j->arg);
}

static void worked(uv_work_t *w, int status)
{
    struct job *j = (struct job *)w;
    loop_enter();
    finish(j, status ? status : j->result);
    lane.running--;
    struct job *next = lane.first;
    if (next) {
        leave_line(next);
        submit(next);
    }
    loop_leave();
}

static void submit(struct job *j)
{
    lane.running++;
    uv_queue_work(loop_here(), &j->work, work, worked);      /* fails only without a work function */
}

static void cancel_job(promise *p, void *arg)
{
    struct job *j = arg;
    (void)p;
    if (!j->link) {
        uv_cancel((uv_req_t *)&j->work);     /* only works while the pool has not begun it */
        return;
    }
    leave_line(j);
    finish(j, UV_ECANCELED);
}

promise *in_thread(int (*fn)(void *), void *arg)
{
    if (!loop_here())
        return promise_settled(fn(arg));
    if (lane.running >= limit.running && lane.waiting >= limit.waiting)
        return promise_settled(UV_EAGAIN);

    struct job *j = pool_get(&jobs);
    j->next = NULL;
    j->link = NULL;
    j->fn = fn;
    j->arg = arg;
    j->promise = promise_new(cancel_job, j);
    if (lane.running < limit.running) {
        submit(j);
        return j->promise;
    }
    if (!lane.first)
        lane.last = &lane.first;
    j->link = lane.last;
    *lane.last = j;
    lane.last = &j->next;
    lane.waiting++;
    return j->promise;
}
