/* core.c - what the parts of server/async cost, in nanoseconds and bytes, and how many of them one loop
 * holds: make bench-core, and at the end of make bench. */
#include "server/async/combine.h"
#include "server/async/loop.h"
#include "server/async/task.h"
#include "server/async/timer.h"
#include "server/async/timing.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROUNDS = 1000000, BATCH = 1000, PROMISES = 1000000, TASKS = 100000, NAP = 3000 };

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

/* Bytes of this process, by the name that /proc/self/status has for them. */
static long bytes(const char *name)
{
    char line[128];
    long kib = 0;
    FILE *f = fopen("/proc/self/status", "r");
    while (f && fgets(line, sizeof line, f))
        if (strncmp(line, name, strlen(name)) == 0)
            sscanf(line + strlen(name), ": %ld", &kib);
    if (f)
        fclose(f);
    return kib * 1024;
}

static long resident(void) { return bytes("VmRSS"); }

/* So many wait for the same moment, on one loop. All that wake are counted, and the clock runs from the
 * first to the last. Before Linux 6.13 a guard page is a mapping, and the kernel refuses the stacks beyond
 * vm.max_map_count. */
static int      left, refused;
static uint64_t first_woke, last_woke, until;

static void woke(int err, void *arg)
{
    (void)arg;
    left--;
    if (err) {
        refused++;
        return;
    }
    last_woke = uv_hrtime();
    if (!first_woke)
        first_woke = last_woke;
}

/* To one and the same moment, however long it takes to make them all. */
static promise *nap(void)
{
    const uint64_t now = uv_hrtime();
    return sleep_for(now < until ? (until - now) / 1000000 : 0);
}

static int naps(void *arg)
{
    (void)arg;
    const int err = await(nap());
    if (!first_woke)
        first_woke = uv_hrtime();
    return err;
}

static int crowd(const char *what, int count, promise *(*make)(void))
{
    if (loop_start())
        return 1;
    const long before = resident(), tables = bytes("VmPTE");
    const uint64_t since = uv_hrtime();
    until = since + (uint64_t)NAP * 1000000;
    for (left = 0; left < count; left++)
        when_settled(make(), woke, NULL);
    loop_run_ready();
    const uint64_t made = uv_hrtime() - since;
    count -= refused;
    printf("%d %s, all pending at once%s\n", count, what, refused ? "; the kernel refused more" : "");
    printf("    %-40s %8ld bytes\n", "resident, each", (resident() - before) / count);
    printf("    %-40s %8ld bytes\n", "page tables beside that, each", (bytes("VmPTE") - tables) / count);
    printf("    %-40s %8.1f ms\n", "to make them all", (double)made / 1e6);
    loop_run();
    printf("    %-40s %8.1f ms\n", "to wake them all", (double)(last_woke - first_woke) / 1e6);
    fflush(stdout);
    if (left)
        fprintf(stderr, "%d have not woken\n", left);
    return left;
}

static promise *nap_task(void) { return task_start("nap", naps, NULL); }

/* In a process of its own: memory that an earlier measure has left behind would count for nothing. */
static int apart(const char *what, int count, promise *(*make)(void))
{
    int status = 1;
    fflush(stdout);
    const pid_t child = fork();
    if (child == 0)
        _exit(crowd(what, count, make));
    return child < 0 || waitpid(child, &status, 0) < 0 || status;
}

int main(void)
{
    if (apart("promises of sleep_for", PROMISES, nap) || apart("suspended tasks", TASKS, nap_task))
        return 1;
    if (loop_start())
        return 1;
    when_settled(task_start("tasks", tasks, &outcome), ignore, &outcome);
    loop_run();
    when_settled(task_start("pause", pause_and_resume, NULL), ignore, &outcome);
    loop_run();
    return 0;
}
