/* recording.c - see recording.h. Each event is made by jansson and written at once: there may be a hundred thousand. */
#include "recording.h"
#include "rings.h"
#include "snapshot.h"

#include <jansson.h>
#include <string.h>
#include <uv.h>

typedef struct recording {
    target      *target;
    FILE        *out;
    uint64_t     start;                      /* nanoseconds of uv_hrtime's clock that are the trace's 0 */
    json_int_t   last_id;
    const char  *comma;
    int          err;
    pid_t        thread;                     /* of the ring that is told of */
} recording;

static const struct { const char *category, *name; } KINDS[RECORD_DETAILS] = {
    [RECORD_REQUEST] = { "request", NULL },   [RECORD_RUN] = { "task", NULL },     [RECORD_SETTLED] = { "settled", NULL },
    [RECORD_QUERY]   = { "query", NULL },     [RECORD_JOB] = { "job", NULL },      [RECORD_TURN]    = { "turn", "turn" },
    [RECORD_WAITED]  = { "await", NULL },     [RECORD_LINE] = { "line", NULL },
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

static bool record_write(const recorded *e, void *arg)
{
    recording *const r = arg;
    const char *const name = KINDS[e->kind].name ? KINDS[e->kind].name : e->kind == RECORD_REQUEST ? e->whom : e->what;
    json_t *const args = json_pack("{s:s}", "for", e->whom);
    if (e->request)
        json_object_set_new(args, "request", json_integer(e->request));
    if (e->kind == RECORD_WAITED)
        json_object_set_new(args, "at", json_string(e->place));
    else if (e->kind != RECORD_RUN)          /* whose value says which task it was */
        json_object_set_new(args, "outcome", json_integer(e->value));
    if (e->queued)
        json_object_set_new(args, "queued_us", json_real((double)e->queued / 1000));
    if (e->kind == RECORD_RUN)
        write_run(r, name, KINDS[e->kind].category, r->thread, e->since, e->end, args);
    else if (e->kind == RECORD_SETTLED)
        write_instant(r, name, KINDS[e->kind].category, r->thread, e->end, args);
    else
        write_span(r, name, KINDS[e->kind].category, r->thread, e->since, e->end, args);
    return !r->err;
}

static void write_rings(recording *r, rings *all)
{
    for (int i = 0; i < rings_count(all); i++) {
        r->thread = ring_thread(all, i);
        write_name(r, "thread_name", (int)r->thread, ring_name(all, i));
        ring_each(all, i, record_write, r);
    }
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

static int recording_write_all(recording *r, rings *all, const snapshot *s)
{
    enum { START = 600 };                    /* seconds before now are the trace's 0: what goes on may be older than the rest */
    const uint64_t before = (uint64_t)START * 1000000000;
    r->start = s->taken > before ? s->taken - before : 0;
    fputs("{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n", r->out);
    write_name(r, "process_name", 0, target_program(r->target));
    write_rings(r, all);
    write_loops_now(r, s);
    write_tasks_now(r, s);
    if (fputs("\n]}\n", r->out) == EOF || fflush(r->out) || ferror(r->out))
        r->err = UV_EIO;
    return r->err;
}

int recording_write(target *t, FILE *out, char *why, size_t size)
{
    snapshot s;
    rings *all;
    int err = snapshot_take(&s, t, why, size);
    if (err)
        return err;
    err = rings_open(&all, t, why, size);
    if (!err) {
        recording r = { .target = t, .out = out, .comma = "" };
        err = recording_write_all(&r, all, &s);
        if (err)
            snprintf(why, size, "cannot write the trace: %s", uv_strerror(err));
        rings_close(all);
    }
    snapshot_free(&s);
    return err;
}
