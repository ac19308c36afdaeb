/* threads.c - work that computes leaves the loop: to threads of the pool, or to worker processes, the same work. */
#include "handlers/jobs.h"
#include "pattern.h"
#include "server/base/memory.h"

/* Under the sanitizers and valgrind it takes many times as long. */
static int below(void) { return RESERVE_NOTHING ? 20000 : 120000; }

SHOW_FROM(threads)
enum { MANY = 6, HOPS = 50 };

struct work { int below; uint64_t begun, ended; int64_t primes; track *row; };

static int count_primes(struct work *w)
{
    w->begun = uv_hrtime();
    for (int n = 2; n < w->below; n++) {
        int divisor = 2;
        while (divisor * divisor <= n && n % divisor != 0)
            divisor++;
        w->primes += divisor * divisor > n;
    }
    w->ended = uv_hrtime();
    return 0;
}

static int count_in_thread(void *arg)        /* in a thread of the pool */
{
    struct work *w = arg;
    track *t = track_begin(w->row, "computes, in a thread");
    count_primes(w);
    track_end(t, 0);
    return 0;
}

static int count_in_process(text in, buffer *out)            /* in a worker process */
{
    struct work copy;
    memcpy(&copy, in.at, sizeof copy);       /* nothing is shared: it goes there and comes back through a socket */
    count_primes(&copy);
    buffer_text(out, (text){ (char *)&copy, sizeof copy });
    return 0;
}

const process_job JOB_PRIMES = { "count primes", count_in_process };

static promise *ask_process(run *r, struct work *w, text *answer)
{
    return in_process(&JOB_PRIMES, (text){ (char *)w, sizeof *w }, 0, request_arena(r->req), answer);
}

static async int in_threads(run *r, struct work jobs[])
{
    promise *all[MANY];
    for (int i = 0; i < MANY; i++) {
        jobs[i] = (struct work){ .below = below(), .row = run_track(r) };
        all[i] = in_thread(count_in_thread, &jobs[i]);
    }
    return await(promise_gather(all, MANY));
}

static async int in_processes(run *r, int up_to, const char *name, struct work jobs[])
{
    promise *all[MANY];
    text answers[MANY];
    for (int i = 0; i < MANY; i++) {
        jobs[i] = (struct work){ .below = up_to };
        all[i] = step(r, name, ask_process(r, &jobs[i], &answers[i]));
    }
    const int err = await(promise_gather(all, MANY));
    for (int i = 0; i < MANY && !err; i++)
        memcpy(&jobs[i], answers[i].at, sizeof jobs[i]);
    return err;
}

/* There and back with nothing to do, time and again: microseconds of one. */
struct hops { run *r; int64_t thread, process; };

static async int hop(void *arg)
{
    struct hops *h = arg;
    struct work none = { 0 };
    text answer;
    int err = 0;
    uint64_t since = uv_hrtime();
    for (int i = 0; i < HOPS && !err; i++)
        err = await(in_thread(count_in_thread, &none));
    h->thread = (int64_t)(uv_hrtime() - since) / 1000 / HOPS;
    since = uv_hrtime();
    for (int i = 0; i < HOPS && !err; i++)
        err = await(ask_process(h->r, &none, &answer));
    h->process = (int64_t)(uv_hrtime() - since) / 1000 / HOPS;
    return err;
}

static promise *start_unrecorded(int (*fn)(void *arg), void *arg)
{
    track *const mine = track_enter(NULL);
    promise *p = task_start("hops", fn, arg);
    track_enter(mine);
    return p;
}

static int64_t at_once(const struct work jobs[])             /* how many have computed at one time, at most */
{
    int64_t most = 0;
    for (int i = 0; i < MANY; i++) {
        int64_t count = 0;
        for (int k = 0; k < MANY; k++)
            count += jobs[k].begun <= jobs[i].begun && jobs[i].begun < jobs[k].ended;
        most = count > most ? count : most;
    }
    return most;
}

static async int run_threads(run *r)
{
    struct work threads[MANY], processes[MANY];
    struct hops hops = { .r = r };
    int64_t alike = 0;

    int err = in_processes(r, 0, "a process starts", processes);     /* so that they are there */
    const uint64_t begun = uv_hrtime();
    if (!err)
        err = in_threads(r, threads);
    const uint64_t between = uv_hrtime();
    if (!err)
        err = in_processes(r, below(), "asked of a process", processes);
    const uint64_t ended = uv_hrtime();
    if (!err)
        err = await(start_unrecorded(hop, &hops));
    if (err)
        return err;

    for (int i = 0; i < MANY; i++)
        alike += threads[i].primes == processes[i].primes;
    figure_is(r, "threads: six jobs took", (int64_t)(between - begun) / 1000000, "ms");
    figure_is(r, "threads: at once, at most", at_once(threads), "");
    figure_is(r, "a thread, there and back", hops.thread, "us");
    figure_is(r, "processes: six jobs took", (int64_t)(ended - between) / 1000000, "ms");
    figure_is(r, "processes: at once, at most", at_once(processes), "");
    figure_is(r, "a process, there and back", hops.process, "us");
    figure_is(r, "same answers", alike, "");
    return 0;
}
SHOW_TO(threads)

const pattern PATTERN_THREADS = {
    .name = "threads", .title = "Threads of the pool, and processes, on the same work", .group = GROUP_OFF_LOOP,
    .await = run_threads, SOURCE_OF(threads), .visited = true,
    .shows = "Six jobs count primes in threads of the pool, then six count the same in worker processes; the loop goes on"
             " meanwhile, as others see. In CPython, as it is usually built, one lock, the GIL, lets a single thread"
             " compute at a time, so there it takes processes to use more than one processor. C has no such lock: threads are as"
             " parallel as processes, and share what they work on; what a process adds is isolation, so that a crash, a leak or"
             " an endless loop does not take the server along. How many compute at once is bounded for each loop, by [threads]"
             " running and [processes] pool. In threads mode there is no loop to be kept free: in_thread computes right where it"
             " is called, in_process is waited for, and what runs side by side there are connections.",
};
