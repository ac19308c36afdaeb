/* ten_thousand_sleepers.c - ten thousand tasks that sleep, the memory that they take, and what others feel of it. */
#include "memory_use.h"
#include "pattern.h"
#include "server/async/context/stack.h"
#include "server/base/memory.h"

/* The sanitizers know of 8,128 stacks, at most. */
static int ten_thousand(void) { return RESERVE_NOTHING ? 1000 : 10000; }

struct crowd {
    run   *r;
    int    many, begun, asleep, most;
    char **stacks;
    size_t stack_size;
    int64_t late, latest;                    /* microseconds, beyond the nap: of all together; of one */
    uint64_t five;                           /* milliseconds since long ago, by fives; */
    int    woken;                            /* in these */
};

static void plot_woken(struct crowd *c)
{
    plot(c->r, "woken in 5 ms", c->woken);
    c->woken = 0;
}

static void count_woken(struct crowd *c)
{
    const uint64_t five = uv_hrtime() / 5000000;
    if (five != c->five && c->woken > 0)
        plot_woken(c);
    c->five = five;
    c->woken++;
}

static void count_asleep(struct crowd *c, int change)
{
    c->asleep += change;
    c->most = c->asleep > c->most ? c->asleep : c->most;
    if (c->asleep % 100 == 0)
        plot(c->r, "asleep", c->asleep);
}

SHOW_FROM(thousands)
/* milliseconds; tasks between two looks at all else; drawn ones */
enum { NAP = 800, SLICE = 50, ROWS = 40 };

static async int sleep_in_crowd(void *arg)
{
    struct crowd *c = arg;
    c->stacks[c->begun++] = task_stack()->base;
    c->stack_size = task_stack()->size;
    count_asleep(c, +1);

    const uint64_t since = uv_hrtime();
    const int err = await(sleep_for(NAP));
    const int64_t late = (int64_t)(uv_hrtime() - since) / 1000 - NAP * 1000;

    c->late += late;
    c->latest = late > c->latest ? late : c->latest;
    count_asleep(c, -1);
    count_woken(c);
    return err;
}

/* One of many is recorded. */
static promise *start_sleeper(struct crowd *c, int i)
{
    track *const mine = track_enter(i % (c->many / ROWS) == 0 ? track_here : NULL);
    promise *p = task_start("sleeper, a sample", sleep_in_crowd, c);
    track_enter(mine);
    return p;
}

/* All of these stacks together: the bytes in memory. */
static async int measure(struct crowd *c, int64_t *bytes)
{
    int err = 0;
    for (int i = 0; i < c->begun && !err; i++) {
        *bytes += (int64_t)memory_resident(c->stacks[i], c->stack_size);
        if (i % SLICE == 0)
            err = task_yield();
    }
    return err;
}

static async int run_thousands(run *r)
{
    struct crowd c = { .r = r, .many = ten_thousand() };
    promise **all = run_alloc(r, (size_t)c.many * sizeof *all);
    int64_t stacks = 0;
    int started = 0, err = 0;
    c.stacks = run_alloc(r, (size_t)c.many * sizeof *c.stacks);

    const int64_t before = memory_of_process("VmRSS");
    while (started < c.many && !err) {
        all[started] = start_sleeper(&c, started);
        if (++started % SLICE == 0)
            err = task_yield();  /* all else has its turn */
    }
    if (!err)
        err = measure(&c, &stacks);
    const int64_t meanwhile = memory_of_process("VmRSS");
    const int failed = await(promise_gather(all, started));
    plot_woken(&c);
    plot_woken(&c);                          /* none any more */

    figure_is(r, "sleepers", c.many, "");
    figure_is(r, "asleep at once", c.most, "");
    figure_is(r, "stack of each, in memory", stacks / c.many, "bytes");
    figure_is(r, "the process before", before, "KiB");
    figure_is(r, "while all sleep", meanwhile, "KiB");
    figure_is(r, "woke too late, on average", c.late / c.many, "us");
    figure_is(r, "at worst", c.latest, "us");
    return err ? err : failed;
}
SHOW_TO(thousands)

const pattern PATTERN_TEN_THOUSAND_SLEEPERS = {
    .name = "ten-thousand-sleepers", .title = "Ten thousand sleepers", .group = GROUP_MANY, .await = run_thousands,
    SOURCE_OF(thousands), .heavy = true, .visited = true,
    .not_in_threads = "Tasks of one blocking thread sleep one after the other: these would take more than two hours. What a"
                      " thread for each takes instead, a hundred sleepers beside a hundred threads show.",
    .shows = "Ten thousand tasks sleep for 800 ms each, on this one thread. They are started fifty at a time, and all else has"
             " a turn before the next fifty, so others hardly notice. A task that waits is a stack of which a page or two are in"
             " memory. Forty of the sleepers are drawn, each from its start to its end; the curves count all of them, and how"
             " many woke in each 5 ms. Their stacks stay warm for some seconds, and are then given back: run it again at once,"
             " or a little later, and compare what the process had before.",
};
