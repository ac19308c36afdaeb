/* core.c - what the parts of server/async cost, in nanoseconds and bytes: make bench-core. */
#include "server/async/combine.h"
#include "server/async/loop.h"
#include "server/async/task.h"
#include "server/async/timer.h"
#include "server/async/timing.h"

#include <stdio.h>
#include <unistd.h>

enum { ROUNDS = 1000000, BATCH = 1000, WAITING = 10000 };

static int  outcome;
static void ignore(int err, void *arg) { *(int *)arg = err; }

static void report(const char *what, uint64_t since, int times)
{
    printf("%-44s %8.1f ns\n", what, (double)(uv_hrtime() - since) / times);
}

static int nothing(void *arg) { return arg ? 0 : -1; }

static int tasks(void *arg)
{
    uint64_t since = uv_hrtime();
    for (int i = 0; i < ROUNDS; i++)
        await(task_start("nothing", nothing, arg));
    report("start a task, await its end", since, ROUNDS);

    since = uv_hrtime();
    for (int i = 0; i < ROUNDS; i++)
        await(promise_settled(0));
    report("await what has settled", since, ROUNDS);

    since = uv_hrtime();
    for (int i = 0; i < ROUNDS; i++) {
        promise *p = promise_new(NULL, NULL);
        promise_settle(p, 0);
        when_settled(p, ignore, &outcome);
        if (i % BATCH == 0)
            task_yield();
    }
    report("make, settle and follow a promise", since, ROUNDS);

    since = uv_hrtime();
    for (int i = 0; i < ROUNDS; i++)
        await(gather(promise_settled(0), promise_settled(0)));
    report("await a gather of two that have settled", since, ROUNDS);

    since = uv_hrtime();
    for (int i = 0; i < ROUNDS / 10; i++)
        task_yield();
    report("yield: pause, a turn of the loop, resume", since, ROUNDS / 10);

    timer t = { 0 }, other = { 0 };
    timer_set(&other, 1000000, NULL);
    since = uv_hrtime();
    for (int i = 0; i < ROUNDS; i++) {
        timer_set(&t, 75000, NULL);
        timer_stop(&t);
    }
    report("set and stop a timer", since, ROUNDS);
    timer_stop(&other);
    return 0;
}

static ready    node;
static promise *turn;
static int      pauses;

static void wake(ready *r)
{
    (void)r;
    promise_settle(turn, 0);
}

static int pause_and_resume(void *arg)
{
    (void)arg;
    node.run = wake;
    const uint64_t since = uv_hrtime();
    for (pauses = 0; pauses < ROUNDS; pauses++) {
        turn = promise_new(NULL, NULL);
        loop_ready(&node);
        await(turn);
    }
    report("pause for a promise, settle it, resume", since, ROUNDS);
    return 0;
}

static long resident(void)
{
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (f) {
        if (fscanf(f, "%*d %ld", &pages) != 1)
            pages = 0;
        fclose(f);
    }
    return pages * sysconf(_SC_PAGESIZE);
}

static int sleeps(void *arg) { return arg ? await(sleep_for(1)) : 0; }

int main(void)
{
    if (loop_start())
        return 1;
    when_settled(task_start("tasks", tasks, &outcome), ignore, &outcome);
    loop_run();
    when_settled(task_start("pause", pause_and_resume, NULL), ignore, &outcome);
    loop_run();

    long before = resident();
    for (int i = 0; i < WAITING; i++)
        when_settled(sleep_for(1), ignore, &outcome);
    printf("%-44s %8ld bytes\n", "a pending sleep_for", (resident() - before) / WAITING);
    before = resident();
    for (int i = 0; i < WAITING; i++)
        when_settled(task_start("sleeps", sleeps, &outcome), ignore, &outcome);
    loop_run_ready();
    printf("%-44s %8ld bytes\n", "a suspended task", (resident() - before) / WAITING);
    loop_run();
    return 0;
}
