/* report_json.c - see report.h: for programs.
 *
 *   {"program": "tenk 0.1.0", "pid": 4711, "mode": "async", "took_ms": 31.2,
 *    "loops": [{"loop": 1, "thread": 4711, "state": "busy", "busy_ms": 5120, "for": "GET /users/:id", "stack": ["..."],
 *               "tasks": 2, "whole": true, "turns": [1203, 0, 3]}],
 *    "tasks": [{"id": "0x7f6e3c41fe40", "loop": 1, "name": "/users/:id", "for": "GET /users/:id", "age_ms": 34,
 *               "state": "awaits", "place": "handlers/users/user_page.c:31", "parent": null,
 *               "awaits": {"maker": "promise_gather", "place": "handlers/users/user_page.c:30", "parts": [
 *                   {"maker": "db_query", "place": "handlers/users/user_page.c:28", "query": "user_by_id", "queued": false},
 *                   {"maker": "task_start", "place": "...", "task": "0x7f6e3c42fe40"}]}}],
 *    "requests": [{"loop": 1, "route": "GET /x", "age_ms": 3, "state": "promise", "awaits": {...}}],
 *    "at_work": [{"name": "sqlite reader", "number": 2, "thread": 4713, "what": "posts_by_user", "for": "GET /users/:id",
 *                 "age_ms": 3}],
 *    "threads": [{"thread": 4712, "route": "GET /sleep", "age_ms": 103, "state": "blocked", "stack": ["..."]}],
 *    "queues": [{"name": "reads waiting", "loop": 1, "count": 2}]}
 *
 * mode is both while a second server runs beside the first. states are those: of a loop idle, busy; of a task runs, new, yields,
 * awaits; of a request waits, promise, callback, new; of a thread idle, blocked, runs. turns are loop_latency.h's counts. */
#include "report.h"

#include <jansson.h>
#include <stdlib.h>
#include <uv.h>

enum { DEEPEST = 64 };

static json_t *id_of(const snapshot *s, int task)
{
    char id[24];
    if (task < 0)
        return json_null();
    snprintf(id, sizeof id, "0x%llx", (unsigned long long)s->tasks[task].at);
    return json_string(id);
}

static json_t *place_of(const snapshot *s, uint64_t at) { return at ? json_string(target_place(s->target, at)) : json_null(); }

static json_t *stack_of(const snapshot *s, const uint64_t frames[], int count)
{
    json_t *const stack = json_array();
    for (int i = 0; i < count; i++)
        json_array_append_new(stack, json_string(target_frame(s->target, frames[i])));
    return stack;
}

static json_t *loop_of(const snapshot *s, int loop) { return loop < 0 ? json_null() : json_integer(s->loops[loop].number); }

static json_t *wait_json(const snapshot *s, int wait, int depth)
{
    if (wait < 0)
        return json_null();
    const seen_wait *const w = &s->waits[wait];
    json_t *const o = json_pack("{s:s, s:o}", "maker", w->maker, "place", place_of(s, w->place));
    if (w->name) {
        json_object_set_new(o, "query", json_string(w->name));
        json_object_set_new(o, "queued", json_boolean(w->queued));
    }
    if (w->task >= 0)
        json_object_set_new(o, "task", id_of(s, w->task));
    if (w->first < 0 || depth == DEEPEST)
        return o;
    json_t *const parts = json_array();
    for (int part = w->first; part >= 0; part = s->waits[part].next)
        json_array_append_new(parts, wait_json(s, part, depth + 1));
    json_object_set_new(o, "parts", parts);
    return o;
}

static json_t *loop_json(const snapshot *s, const seen_loop *l)
{
    json_t *const turns = json_array();
    size_t last = SEEN_LATENCIES;
    while (last > 0 && l->latencies[last - 1] == 0)
        last--;
    for (size_t i = 0; i < last; i++)
        json_array_append_new(turns, json_integer((json_int_t)l->latencies[i]));
    return json_pack("{s:i, s:i, s:s, s:I, s:s?, s:o, s:I, s:b, s:o}", "loop", l->number, "thread", (int)l->thread,
                     "state", l->busy ? "busy" : "idle", "busy_ms", (json_int_t)l->busy_ms, "for", l->busy ? l->label : NULL,
                     "stack", stack_of(s, l->frames, l->count), "tasks", (json_int_t)l->tasks, "whole", l->whole, "turns", turns);
}

static json_t *task_json(const snapshot *s, int task)
{
    static const char *const STATES[] = {
        [SEEN_RUNS] = "runs", [SEEN_NEW] = "new", [SEEN_YIELDS] = "yields", [SEEN_AWAITS] = "awaits",
    };
    const seen_task *const t = &s->tasks[task];
    return json_pack("{s:o, s:o, s:s, s:s, s:I, s:s, s:o, s:o, s:o}", "id", id_of(s, task), "loop", loop_of(s, t->loop),
                     "name", t->name, "for", t->label, "age_ms", (json_int_t)t->age, "state", STATES[t->state],
                     "place", place_of(s, t->place), "parent", id_of(s, t->parent), "awaits", wait_json(s, t->awaits, 0));
}

static json_t *route_of(const char *method, const char *path)
{
    return method ? json_sprintf("%s %s", method, path) : json_null();
}

static json_t *request_json(const snapshot *s, const seen_request *r)
{
    static const char *const STATES[] = {
        [SEEN_WAITS] = "waits", [SEEN_PROMISE] = "promise", [SEEN_CALLBACK] = "callback", [SEEN_NOT_BEGUN] = "new",
    };
    return json_pack("{s:o, s:o, s:I, s:s, s:o}", "loop", loop_of(s, r->loop), "route", route_of(r->method, r->path),
                     "age_ms", (json_int_t)r->age, "state", STATES[r->kind], "awaits", wait_json(s, r->awaits, 0));
}

static json_t *thread_json(const snapshot *s, const seen_thread *t)
{
    return json_pack("{s:i, s:o, s:I, s:s, s:o}", "thread", (int)t->id, "route", route_of(t->method, t->path),
                     "age_ms", (json_int_t)t->age, "state", !t->method ? "idle" : t->count ? "blocked" : "runs",
                     "stack", stack_of(s, t->frames, t->count));
}

static json_t *work_json(const seen_work *w)
{
    return json_pack("{s:s, s:i, s:i, s:s, s:s?, s:I}", "name", w->name, "number", w->number, "thread", (int)w->thread,
                     "what", w->what, "for", w->label, "age_ms", (json_int_t)w->age);
}

static const char *mode_name(const snapshot *s)
{
    return s->threads_mode && s->async_mode ? "both" : s->threads_mode ? "threads" : "async";
}

int report_json(const snapshot *s, FILE *out)
{
    json_t *const loops = json_array(), *const tasks = json_array(), *const requests = json_array();
    json_t *const threads = json_array(), *const works = json_array(), *const queues = json_array();
    for (size_t i = s->loop_count; i-- > 0;)
        json_array_append_new(loops, loop_json(s, &s->loops[i]));
    for (size_t i = 0; i < s->task_count; i++)
        json_array_append_new(tasks, task_json(s, (int)i));
    for (size_t i = 0; i < s->request_count; i++)
        json_array_append_new(requests, request_json(s, &s->requests[i]));
    for (size_t i = 0; i < s->thread_count; i++)
        json_array_append_new(threads, thread_json(s, &s->threads[i]));
    for (size_t i = s->work_count; i-- > 0;)
        json_array_append_new(works, work_json(&s->works[i]));
    for (size_t i = 0; i < s->gauge_count; i++)
        json_array_append_new(queues, json_pack("{s:s, s:o, s:I}", "name", s->gauges[i].name, "loop",
                                                loop_of(s, s->gauges[i].loop), "count", (json_int_t)s->gauges[i].value));
    json_t *const all = json_pack("{s:s, s:i, s:s, s:f, s:o, s:o, s:o, s:o, s:o, s:o}", "program", target_program(s->target),
                                  "pid", (int)target_process(s->target), "mode", mode_name(s),
                                  "took_ms", (double)s->took / 1e6, "loops", loops, "tasks", tasks, "requests", requests,
                                  "threads", threads, "at_work", works, "queues", queues);
    const int err = !all || json_dumpf(all, out, JSON_COMPACT | JSON_REAL_PRECISION(6)) || fputc('\n', out) == EOF ? UV_EIO : 0;
    json_decref(all);
    return err;
}
