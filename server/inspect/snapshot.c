/* snapshot.c - see snapshot.h: loops, their tasks, and gauges. */
#include "snapshot.h"
#include "address_map.h"
#include "clients.h"
#include "list_walk.h"
#include "waits.h"
#include "server/base/memory.h"

#include <stdio.h>
#include <string.h>
#include <uv.h>

enum { LABELS = 1024, MOST_LOOPS = 4096 };

/* Tasks. */

/* What is known of a loop while its tasks are read. */
struct reading {
    snapshot     *s;
    waits        *waits;
    size_t        before;                    /* tasks of other loops */
    size_t        size;
    target_field  scope, since, name, label, awaiting, place;
    uint64_t     *awaited;                   /* a promise for each task */
    size_t        awaited_count, awaited_room;
    const char   *labels[LABELS];            /* those that were read */
};

static void tasks_begin(void *arg)
{
    struct reading *const r = arg;
    r->s->task_count = r->awaited_count = r->before;
}

static target_field field_in(target_field outer, target_field inner)
{
    return (target_field){ outer.offset + inner.offset, inner.size };
}

static const char *label_read(struct reading *r, uint64_t label)
{
    if (label >= LABELS)
        return "?";
    if (!r->labels[label])
        r->labels[label] = seen_label(r->s->target, label);
    return r->labels[label];
}

static void task_show(uint64_t at, const void *copy, void *arg)
{
    struct reading *const r = arg;
    snapshot *const s = r->s;
    seen_task *const t = SEEN_ADD(s, task);
    const uint64_t awaiting = target_number(copy, r->size, r->awaiting);
    t->at = at;
    t->loop = (int)s->loop_count - 1;
    t->name = target_text(s->target, target_number(copy, r->size, field_in(r->scope, r->name)));
    t->label = label_read(r, target_number(copy, r->size, field_in(r->scope, r->label)));
    t->age = (uint32_t)(s->taken / 1000000) - (uint32_t)target_number(copy, r->size, field_in(r->scope, r->since));
    if (t->age > UINT32_MAX - 60000)         /* it began after the clock was read */
        t->age = 0;
    t->place = target_number(copy, r->size, r->place);
    t->awaits = t->parent = -1;
    const bool entered = s->loops[t->loop].scope == at + r->scope.offset;
    t->state = awaiting ? SEEN_AWAITS : entered ? SEEN_RUNS : t->place ? SEEN_YIELDS : SEEN_NEW;
    *(uint64_t *)seen_add((void **)&r->awaited, &r->awaited_count, &r->awaited_room, sizeof awaiting) = awaiting;
}

/* The tree of what it awaits knows the task whose outcome a promise is: that one's parent is this. */
static void task_adopt(snapshot *s, int parent, int wait, int depth)
{
    enum { DEEPEST = 64 };
    for (int w = wait; w >= 0 && depth < DEEPEST; w = s->waits[w].next) {
        if (s->waits[w].task >= 0 && s->waits[w].task != parent)
            s->tasks[s->waits[w].task].parent = parent;
        task_adopt(s, parent, s->waits[w].first, depth + 1);
    }
}

/* Loops. */

static void loop_read_scope(snapshot *s, seen_loop *l, uint64_t entered, uint64_t own)
{
    char copy[256] = "";
    const size_t size = target_field_of(s->target, "scope").size;
    l->scope = seen_pointer(s->target, entered);
    if (size > sizeof copy || !target_read(s->target, l->scope ? l->scope : own, copy, size))
        return;
    const uint64_t label = target_number(copy, size, target_field_of(s->target, "scope.label"));
    if (l->scope)
        l->name = target_text(s->target, target_number(copy, size, target_field_of(s->target, "scope.name")));
    if (label)
        l->label = seen_label(s->target, label);
}

static void loop_read_activity(snapshot *s, seen_loop *l, uint64_t activity, uint64_t *sequence)
{
    const target_field in = target_field_of(s->target, "loop.activity"), latency = target_field_of(s->target, "loop.latency");
    const uint64_t loop = activity - in.offset;
    const uint64_t woke = seen_pointer(s->target, loop + target_field_of(s->target, "loop.woke").offset);
    const size_t size = latency.size < sizeof l->latencies ? latency.size : sizeof l->latencies;
    *sequence = seen_pointer(s->target, activity);
    l->busy = *sequence & 1;
    l->busy_ms = l->busy && woke && woke < s->taken ? (s->taken - woke) / 1000000 : 0;
    if (!target_read(s->target, loop + latency.offset, l->latencies, size))
        memset(l->latencies, 0, sizeof l->latencies);
}

/* Where it is: if it sleeps, as the kernel tells; else the watchdog may have asked it, in this very callback. */
static void loop_read_stack(snapshot *s, seen_loop *l, const void *copy, size_t size, uint64_t sequence)
{
    const target_field frames = target_field_of(s->target, "watched.sample_frames");
    const uint64_t count = target_number(copy, size, target_field_of(s->target, "watched.sample_count"));
    l->count = target_stack(s->target, l->thread, l->frames, SEEN_FRAMES);
    if (l->count || target_number(copy, size, target_field_of(s->target, "watched.sample_sequence")) != sequence)
        return;
    l->count = count < SEEN_FRAMES && frames.offset + count * sizeof l->frames[0] <= size ? (int)count : 0;
    memcpy(l->frames, (const char *)copy + frames.offset, (size_t)l->count * sizeof l->frames[0]);
}

static void loops_begin(void *arg)
{
    snapshot *const s = ((struct reading *)arg)->s;
    s->loop_count = s->task_count = 0;
}

static void loop_show(uint64_t at, const void *copy, void *arg)
{
    struct reading *const r = arg;
    snapshot *const s = r->s;
    target *const t = s->target;
    const size_t size = target_field_of(t, "watched").size;
    uint64_t sequence = 0;
    (void)at;
    if (s->loop_count == MOST_LOOPS)
        return;
    seen_loop *const l = SEEN_ADD(s, loop);
    l->number = (int)target_number(copy, size, target_field_of(t, "watched.number"));
    l->thread = (pid_t)target_number(copy, size, target_field_of(t, "watched.thread"));
    loop_read_activity(s, l, target_number(copy, size, target_field_of(t, "watched.activity")), &sequence);
    loop_read_scope(s, l, target_number(copy, size, target_field_of(t, "watched.entered")),
                    target_number(copy, size, target_field_of(t, "watched.own")));
    if (l->busy)
        loop_read_stack(s, l, copy, size, sequence);
    r->before = s->task_count;
    l->whole = list_walk_run(&(list_walk){ .target = t, .list = target_number(copy, size, target_field_of(t, "watched.tasks")),
                                           .size = r->size, .node = target_field_of(t, "task.node"),
                                           .begin = tasks_begin, .show = task_show, .arg = r });
    l->tasks = s->task_count - r->before;
}

static void loops_read(struct reading *r)
{
    target *const t = r->s->target;
    r->size = target_field_of(t, "task").size;
    r->scope = target_field_of(t, "task.scope");
    r->since = target_field_of(t, "scope.since");
    r->name = target_field_of(t, "scope.name");
    r->label = target_field_of(t, "scope.label");
    r->awaiting = target_field_of(t, "task.awaiting");
    r->place = target_field_of(t, "task.place");
    list_walk_run(&(list_walk){ .target = t, .list = target_field_of(t, "loops").offset,
                                .size = target_field_of(t, "watched").size, .node = target_field_of(t, "watched.node"),
                                .begin = loops_begin, .show = loop_show, .arg = r });
}

/* Threads that run no loop. */

static void work_show(uint64_t at, const void *copy, void *arg)
{
    snapshot *const s = arg;
    target *const t = s->target;
    const size_t size = target_field_of(t, "at_work").size;
    const uint64_t what = target_number(copy, size, target_field_of(t, "at_work.what"));
    const uint64_t since = target_number(copy, size, target_field_of(t, "at_work.since"));
    const uint64_t label = target_number(copy, size, target_field_of(t, "at_work.label"));
    (void)at;
    if (!what)
        return;
    seen_work *const w = SEEN_ADD(s, work);
    w->name = target_text(t, target_number(copy, size, target_field_of(t, "at_work.name")));
    w->number = (int)target_number(copy, size, target_field_of(t, "at_work.number"));
    w->thread = (pid_t)target_number(copy, size, target_field_of(t, "at_work.thread"));
    w->what = target_text(t, what);
    w->label = label ? seen_label(t, label) : NULL;
    w->age = since < s->taken ? (s->taken - since) / 1000000 : 0;
}

static void works_begin(void *arg) { ((snapshot *)arg)->work_count = 0; }

static void works_read(snapshot *s)
{
    target *const t = s->target;
    if (target_has(t, "at_works"))           /* it has such threads */
        list_walk_run(&(list_walk){ .target = t, .list = target_field_of(t, "at_works").offset,
                                    .size = target_field_of(t, "at_work").size, .node = target_field_of(t, "at_work.node"),
                                    .begin = works_begin, .show = work_show, .arg = s });
}

/* Gauges. */

static int loop_of_thread(const snapshot *s, pid_t thread)
{
    for (size_t i = 0; i < s->loop_count; i++)
        if (s->loops[i].thread == thread)
            return (int)i;
    return -1;
}

static void gauge_add_seen(snapshot *s, const char *name, int loop, uint64_t at)
{
    int value = 0;
    if (!target_read(s->target, at, &value, sizeof value))
        return;
    seen_gauge *const g = SEEN_ADD(s, gauge);
    *g = (seen_gauge){ name, loop, value };
}

static void gauge_show(uint64_t at, const void *copy, void *arg)
{
    snapshot *const s = arg;
    const size_t size = target_field_of(s->target, "gauge").size;
    (void)at;
    gauge_add_seen(s, target_text(s->target, target_number(copy, size, target_field_of(s->target, "gauge.name"))),
                   loop_of_thread(s, (pid_t)target_number(copy, size, target_field_of(s->target, "gauge.thread"))),
                   target_number(copy, size, target_field_of(s->target, "gauge.value")));
}

static void gauge_show_static(const char *name, target_field f, void *arg)
{
    if (strchr(name, ' '))                   /* else it is a field of a gauge */
        gauge_add_seen(arg, name, -1, f.offset);
}

static void gauges_begin(void *arg) { ((snapshot *)arg)->gauge_count = 0; }

static void gauges_read(snapshot *s)
{
    target *const t = s->target;
    list_walk_run(&(list_walk){ .target = t, .list = target_field_of(t, "gauges").offset,
                                .size = target_field_of(t, "gauge").size, .node = target_field_of(t, "gauge.node"),
                                .begin = gauges_begin, .show = gauge_show, .arg = s });
    target_each(t, "gauge.", gauge_show_static, s);
}

int snapshot_take(snapshot *s, target *t, char *why, size_t size)
{
    *s = (snapshot){ .target = t, .taken = uv_hrtime() };
    address_map map = { 0 };
    struct reading r = { .s = s };
    if (!target_alive(t)) {
        snprintf(why, size, "process %d is gone", (int)target_process(t));
        return UV_ESRCH;
    }
    loops_read(&r);
    if (target_missing(t)[0]) {
        snprintf(why, size, "process %d is another %s, of which this one does not know where it has %s: /proc/%d/exe is its own",
                 (int)target_process(t), target_program(t), target_missing(t), (int)target_process(t));
        mem_free(r.awaited);
        snapshot_free(s);
        return UV_ENOTSUP;
    }
    for (size_t i = 0; i < s->task_count; i++)
        address_map_add(&map, s->tasks[i].at, (int)i);
    waits *const w = waits_new(s, &map);
    for (size_t i = 0; i < s->task_count; i++)
        s->tasks[i].awaits = waits_add(w, r.awaited[i]);
    clients_read(s, w);
    waits_read(w);
    for (size_t i = 0; i < s->task_count; i++)
        task_adopt(s, (int)i, s->tasks[i].awaits, 0);
    works_read(s);
    gauges_read(s);
    waits_free(w);
    address_map_free(&map);
    mem_free(r.awaited);
    s->took = uv_hrtime() - s->taken;
    return 0;
}

void snapshot_free(snapshot *s)
{
    mem_free(s->loops);
    mem_free(s->tasks);
    mem_free(s->waits);
    mem_free(s->requests);
    mem_free(s->threads);
    mem_free(s->works);
    mem_free(s->gauges);
    *s = (snapshot){ 0 };
}
