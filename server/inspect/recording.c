/* recording.c - see recording.h. Each event is made by jansson and written at once: there may be a hundred thousand. */
#include "recording.h"
#include "list_walk.h"
#include "snapshot.h"
#include "server/base/memory.h"
#include "server/base/observe/recorder.h"

#include <jansson.h>
#include <string.h>
#include <uv.h>

enum { LABELS = 1024, MOST_RECORDS = 1 << 25, MOST_RINGS = 4096 };

static const uint64_t WINDOW = 10000000000;  /* nanoseconds that are told of, up to the last entry of a recorder */

/* A recorder, as it was read. */
typedef struct ring {
    const char *name;
    pid_t       thread;
    bool        ticks;
    uint64_t    tick, ns, count, next, records;              /* records: where they are, in the target */
} ring;

typedef struct recording {
    target      *target;
    FILE        *out;
    uint64_t     start;                      /* nanoseconds of uv_hrtime's clock that are the trace's 0 */
    json_int_t   last_id;
    const char  *comma;
    int          err;
    ring         rings[MOST_RINGS];
    int          ring_count;
    const char  *labels[LABELS];             /* those that were read */
    size_t       record_size;
    target_field since, end, what, value, label, kind;
} recording;

static const struct { const char *category, *name; } KINDS[RECORD_KINDS] = {
    [RECORD_REQUEST] = { "request", NULL },   [RECORD_RUN] = { "task", NULL },     [RECORD_SETTLED] = { "settled", NULL },
    [RECORD_QUERY]   = { "query", NULL },     [RECORD_JOB] = { "job", NULL },      [RECORD_TURN]    = { "turn", "turn" },
};

/* Events. */

static void event_write(recording *r, json_t *event)
{
    if (!event || fputs(r->comma, r->out) == EOF || json_dumpf(event, r->out, JSON_COMPACT | JSON_REAL_PRECISION(15)))
        r->err = UV_EIO;
    r->comma = ",\n";
    json_decref(event);
}

static double microseconds(const recording *r, uint64_t ns) { return ns > r->start ? (double)(ns - r->start) / 1000 : 0; }

/* Stretches of one thread that follow each other, or lie in each other. */
static void write_run(recording *r, const char *name, const char *category, pid_t thread, uint64_t since, uint64_t end,
                      json_t *args)
{
    event_write(r, json_pack("{s:s, s:s, s:s, s:f, s:f, s:i, s:i, s:o}", "ph", "X", "name", name, "cat", category,
                             "ts", microseconds(r, since), "dur", microseconds(r, end) - microseconds(r, since),
                             "pid", (int)target_process(r->target), "tid", (int)thread, "args", args));
}

/* Those that overlap have a line each. */
static void write_span(recording *r, const char *name, const char *category, pid_t thread, uint64_t since, uint64_t end,
                       json_t *args)
{
    const json_int_t id = ++r->last_id;
    event_write(r, json_pack("{s:s, s:s, s:s, s:I, s:f, s:i, s:i, s:o}", "ph", "b", "name", name, "cat", category, "id", id,
                             "ts", microseconds(r, since), "pid", (int)target_process(r->target), "tid", (int)thread,
                             "args", args));
    event_write(r, json_pack("{s:s, s:s, s:s, s:I, s:f, s:i, s:i}", "ph", "e", "name", name, "cat", category, "id", id,
                             "ts", microseconds(r, end), "pid", (int)target_process(r->target), "tid", (int)thread));
}

static void write_instant(recording *r, const char *name, const char *category, pid_t thread, uint64_t at, json_t *args)
{
    event_write(r, json_pack("{s:s, s:s, s:s, s:s, s:f, s:i, s:i, s:o}", "ph", "i", "s", "t", "name", name, "cat", category,
                             "ts", microseconds(r, at), "pid", (int)target_process(r->target), "tid", (int)thread, "args", args));
}

static void write_name(recording *r, const char *what, int thread, const char *name)
{
    event_write(r, json_pack("{s:s, s:s, s:i, s:i, s:{s:s}}", "ph", "M", "name", what, "pid", (int)target_process(r->target),
                             "tid", thread, "args", "name", name));
}

/* Rings. */

static void rings_begin(void *arg) { ((recording *)arg)->ring_count = 0; }

static void ring_show(uint64_t at, const void *copy, void *arg)
{
    recording *const r = arg;
    target *const t = r->target;
    const size_t size = target_field_of(t, "recorder").size;
    if (r->ring_count == MOST_RINGS)
        return;
    r->rings[r->ring_count++] = (ring){
        .name = target_text(t, target_number(copy, size, target_field_of(t, "recorder.name"))),
        .thread = (pid_t)target_number(copy, size, target_field_of(t, "recorder.thread")),
        .ticks = target_number(copy, size, target_field_of(t, "recorder.ticks")),
        .tick = target_number(copy, size, target_field_of(t, "recorder.tick")),
        .ns = target_number(copy, size, target_field_of(t, "recorder.ns")),
        .count = target_number(copy, size, target_field_of(t, "recorder.count")),
        .next = at + target_field_of(t, "recorder.next").offset,
        .records = at + target_field_of(t, "recorder.records").offset,
    };
}

/* Its clock, as nanoseconds of uv_hrtime's: between two points at which both are known, then and now. */
typedef struct rate { bool ticks; uint64_t tick, ns; double ns_per_tick; } rate;

static rate rate_of(const ring *g)
{
    const uint64_t tick = recorder_clock_of(g->ticks), ns = uv_hrtime();
    const bool known = g->ticks && tick > g->tick && ns > g->ns;
    return (rate){ g->ticks, tick, ns, known ? (double)(ns - g->ns) / (double)(tick - g->tick) : 1 };
}

static uint64_t ns_of(const rate *f, uint64_t clock)
{
    if (!f->ticks)
        return clock;
    return f->ns - (uint64_t)(int64_t)(((double)f->tick - (double)clock) * f->ns_per_tick);
}

static const char *recording_label(recording *r, uint64_t label)
{
    if (label >= LABELS)
        return "?";
    if (!r->labels[label])
        r->labels[label] = seen_label(r->target, label);
    return r->labels[label];
}

static void record_write(recording *r, const ring *g, const rate *f, const char *copy, uint64_t least)
{
    const size_t size = r->record_size;
    const uint64_t kind = target_number(copy, size, r->kind), label = target_number(copy, size, r->label);
    const uint64_t end = ns_of(f, target_number(copy, size, r->end)), said = target_number(copy, size, r->since);
    const bool by_hrtime = kind == RECORD_REQUEST || kind == RECORD_TURN;
    const uint64_t since = by_hrtime ? said : ns_of(f, said);
    if (kind == RECORD_NONE || kind >= RECORD_KINDS || end < least || end > f->ns + WINDOW || since > end)
        return;                              /* another has been written over it, or half of it */
    const char *const whom = recording_label(r, label);
    const char *name = KINDS[kind].name ? KINDS[kind].name : kind == RECORD_REQUEST ? whom
                                        : target_text(r->target, target_number(copy, size, r->what));
    json_t *const args = json_pack("{s:s, s:i}", "for", whom, "outcome", (int)(int32_t)target_number(copy, size, r->value));
    if (kind == RECORD_RUN)
        write_run(r, name, KINDS[kind].category, g->thread, since, end, args);
    else if (kind == RECORD_SETTLED)
        write_instant(r, name, KINDS[kind].category, g->thread, end, args);
    else
        write_span(r, name, KINDS[kind].category, g->thread, since, end, args);
}

/* A copy of the entries of a ring that were not written over meanwhile: from *first on, up to its end. The caller's. */
static char *ring_read(recording *r, const ring *g, uint64_t *first, uint64_t *next)
{
    const size_t size = g->count * r->record_size;
    char *const copy = mem_alloc(size);
    *next = seen_pointer(r->target, g->next);
    const bool read = target_read(r->target, g->records, copy, size);
    const uint64_t after = seen_pointer(r->target, g->next);
    *first = after >= g->count ? after - g->count + 1 : 0;   /* the oldest may be the one that is being written */
    if (!read || *first > *next)
        *first = *next;
    return copy;
}

static void ring_write(recording *r, const ring *g)
{
    char name[64];
    uint64_t first, next;
    if (!g->count || g->count > MOST_RECORDS || g->count & (g->count - 1))
        return;
    char *const copy = ring_read(r, g, &first, &next);
    const rate f = rate_of(g);
    const char *const last = copy + ((next - 1) & (g->count - 1)) * r->record_size;
    const uint64_t end = next > first ? ns_of(&f, target_number(last, r->record_size, r->end)) : 0;
    const uint64_t least = end > WINDOW ? end - WINDOW : 0;
    snprintf(name, sizeof name, "%s", g->name);
    write_name(r, "thread_name", (int)g->thread, name);
    for (uint64_t i = first; i < next && !r->err; i++)
        record_write(r, g, &f, copy + (i & (g->count - 1)) * r->record_size, least);
    mem_free(copy);
}

/* What goes on. */

static void write_tasks_now(recording *r, const snapshot *s)
{
    for (size_t i = 0; i < s->task_count && !r->err; i++) {
        const seen_task *const t = &s->tasks[i];
        const seen_wait *const w = t->awaits >= 0 ? &s->waits[t->awaits] : NULL;
        const uint64_t age = (uint64_t)t->age * 1000000;
        json_t *const args = json_pack("{s:s, s:s?, s:s?}", "for", t->label, "awaits", w ? w->maker : NULL,
                                       "at", w ? target_place(r->target, w->place) : NULL);
        write_span(r, t->name, "goes on", t->loop >= 0 ? s->loops[t->loop].thread : 0, s->taken > age ? s->taken - age : 0,
                   s->taken, args);
    }
}

static void write_loops_now(recording *r, const snapshot *s)
{
    for (size_t i = 0; i < s->loop_count; i++) {
        const seen_loop *const l = &s->loops[i];
        if (l->busy && l->busy_ms > 0)
            write_span(r, "turn", "goes on", l->thread, s->taken - l->busy_ms * 1000000, s->taken,
                       json_pack("{s:s?, s:s?}", "for", l->label, "at", l->count ? target_frame(r->target, l->frames[0]) : NULL));
    }
}

static void recording_fields(recording *r)
{
    r->record_size = target_field_of(r->target, "record").size;
    r->since = target_field_of(r->target, "record.since");
    r->end = target_field_of(r->target, "record.end");
    r->what = target_field_of(r->target, "record.what");
    r->value = target_field_of(r->target, "record.value");
    r->label = target_field_of(r->target, "record.label");
    r->kind = target_field_of(r->target, "record.kind");
}

static int recording_write_all(recording *r, const snapshot *s)
{
    enum { START = 600 };                    /* seconds before now are the trace's 0: what goes on may be older than the rest */
    const uint64_t before = (uint64_t)START * 1000000000;
    r->start = s->taken > before ? s->taken - before : 0;
    fputs("{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n", r->out);
    write_name(r, "process_name", 0, target_program(r->target));
    for (int i = 0; i < r->ring_count; i++)
        ring_write(r, &r->rings[i]);
    write_loops_now(r, s);
    write_tasks_now(r, s);
    if (fputs("\n]}\n", r->out) == EOF || fflush(r->out) || ferror(r->out))
        r->err = UV_EIO;
    return r->err;
}

int recording_write(target *t, FILE *out, char *why, size_t size)
{
    snapshot s;
    int err = snapshot_take(&s, t, why, size);
    if (err)
        return err;
    recording *const r = mem_alloc(sizeof *r);
    *r = (recording){ .target = t, .out = out, .comma = "" };
    recording_fields(r);
    list_walk_run(&(list_walk){ .target = t, .list = target_field_of(t, "recorders").offset,
                                .size = target_field_of(t, "recorder").size, .node = target_field_of(t, "recorder.node"),
                                .begin = rings_begin, .show = ring_show, .arg = r });
    if (r->ring_count == 0 || r->record_size < sizeof(record)) {
        snprintf(why, size, "process %d has no recorder ([log] recorder)", (int)target_process(t));
        err = UV_ENOENT;
    } else {
        err = recording_write_all(r, &s);
        if (err)
            snprintf(why, size, "cannot write the trace: %s", uv_strerror(err));
    }
    mem_free(r);
    snapshot_free(&s);
    return err;
}
