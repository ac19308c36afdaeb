/* metrics_loops.c - of /metrics: loops, tasks, and promises. */
#include "metrics.h"
#include "server/async/background.h"
#include "server/async/label.h"
#include "server/async/observe/loop_latency.h"
#include "server/async/unawaited.h"

#include <stdio.h>

struct lag { uint64_t counts[LOOP_LATENCY_BUCKETS], busy; };

static void lag_add(const loop_latency_view *v, void *arg)
{
    struct lag *const all = arg;
    for (int i = 0; i < LOOP_LATENCY_BUCKETS; i++)
        all->counts[i] += v->counts[i];
    all->busy += v->busy;
}

static void write_lag(metrics_page *p)
{
    struct lag all = { 0 };
    char seconds[LOOP_LATENCY_BUCKETS][32];
    const char *bounds[LOOP_LATENCY_BUCKETS];
    loop_latency_each(lag_add, &all);
    for (int i = 0; i < LOOP_LATENCY_BUCKETS; i++) {
        const uint64_t ms = loop_latency_bound(i);
        snprintf(seconds[i], sizeof seconds[i], ms == UINT64_MAX ? "+Inf" : "%g", (double)ms / 1000);
        bounds[i] = seconds[i];
    }
    exposition_histogram(&p->e, TEXT(""), bounds, all.counts, LOOP_LATENCY_BUCKETS, all.busy);
}

static text loop_labels(metrics_page *p, const loop_latency_view *v)
{
    char number[16];
    snprintf(number, sizeof number, "%d", v->number);
    return exposition_labels(&p->e, "loop", number, NULL);
}

static void busy_show(const loop_latency_view *v, void *arg)
{
    metrics_page *const p = arg;
    exposition_seconds(&p->e, loop_labels(p, v), v->busy);
}

static void turns_show(const loop_latency_view *v, void *arg)
{
    metrics_page *const p = arg;
    exposition_number(&p->e, loop_labels(p, v), v->turns);
}

static void write_busy(metrics_page *p)  { loop_latency_each(busy_show, p); }
static void write_turns(metrics_page *p) { loop_latency_each(turns_show, p); }

static void blocked_show(const char *name, const label_counts *c, void *arg)
{
    metrics_page *const p = arg;
    if (c->blocked > 0)
        exposition_number(&p->e, metrics_labels_of(p, name), c->blocked);
}

static void longest_show(const char *name, const label_counts *c, void *arg)
{
    metrics_page *const p = arg;
    if (c->blocked > 0)
        exposition_seconds(&p->e, metrics_labels_of(p, name), c->longest * 1000000);
}

static void stack_show(const char *name, const label_counts *c, void *arg)
{
    metrics_page *const p = arg;
    if (c->stack > 0)
        exposition_number(&p->e, metrics_labels_of(p, name), c->stack);
}

static void write_blocked(metrics_page *p) { label_each(blocked_show, p); }
static void write_longest(metrics_page *p) { label_each(longest_show, p); }
static void write_stack(metrics_page *p)   { label_each(stack_show, p); }

static void write_tasks(metrics_page *p)      { exposition_number(&p->e, TEXT(""), shard_sum(SHARD_TASKS)); }
static void write_started(metrics_page *p)    { exposition_number(&p->e, TEXT(""), shard_sum(SHARD_TASKS_STARTED)); }
static void write_unawaited(metrics_page *p)  { exposition_number(&p->e, TEXT(""), unawaited_count()); }
static void write_background(metrics_page *p) { exposition_number(&p->e, TEXT(""), background_failures()); }

static void write_stacks(metrics_page *p)
{
    if (p->process)
        exposition_number(&p->e, TEXT(""), p->process->taken.task_stacks);
}

const metric_family METRICS_OF_LOOPS[] = {
    { { "eventloop_lag_seconds", "histogram", "How long turns of the loops took: for so long all else waited." }, write_lag },
    { { "eventloop_busy_seconds_total", "counter", "Time that a loop did not sleep; its rate is the loop's utilization." },
      write_busy },
    { { "eventloop_iterations_total", "counter", "Turns of a loop." }, write_turns },
    { { "eventloop_blocked_total", "counter", "Callbacks that kept a loop beyond [log] slow_callback, by what they ran for." },
      write_blocked },
    { { "eventloop_blocked_longest_seconds", "gauge", "The longest of them." }, write_longest },
    { { "async_tasks", "gauge", "Tasks that have begun, and not ended." }, write_tasks },
    { { "async_tasks_started_total", "counter", "Tasks since the start." }, write_started },
    { { "async_stack_resident_bytes", "gauge", "Memory of the stacks of tasks, those that are kept for reuse included." },
      write_stacks },
    { { "async_task_stack_bytes_max", "gauge", "The most that a task used of its stack, in a build that counts that." },
      write_stack },
    { { "async_promises_unawaited_total", "counter", "Promises that were kept, and never awaited." }, write_unawaited },
    { { "async_background_failures_total", "counter", "Background tasks that failed." }, write_background },
    { { NULL, NULL, NULL }, NULL },
};
