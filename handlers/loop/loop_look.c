/* loop_look.c - see loop_look.h. */
#include "loop_look.h"
#include "server/base/observe/recorder_watch.h"
#include "server/inspect/self.h"
#include "server/inspect/snapshot.h"

#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { PARTS = sizeof((loop_wait *)0)->parts / sizeof(char *), DEEP = 6, FRAMES = 6, MOST_LOOPS = 64 };

typedef struct looking { loop_look *look; arena *arena; char *why; size_t size; int err; } looking;

/* The target's own texts end with it. */
static const char *looking_keep(const looking *l, const char *t) { return t ? arena_copy(l->arena, text_of(t)) : NULL; }

static loop_wait *look_add(const looking *l, const char *is)
{
    loop_look *const k = l->look;
    if (k->count++ >= LOOP_LOOK_MOST)
        return NULL;
    loop_wait *const w = &k->waits[k->wait_count++];
    *w = (loop_wait){ .is = is };
    return w;
}

/* "query (user_by_id), in a line", or "task_start (task read posts)" */
static const char *part_name(const looking *l, const snapshot *s, const seen_wait *w)
{
    const char *const name = w->name ? w->name : w->task >= 0 ? s->tasks[w->task].name : NULL;
    return name ? arena_printf(l->arena, "%s (%s%s)%s", w->maker, w->name ? "" : "task ", name, w->queued ? ", in a line" : "")
                : looking_keep(l, w->maker);
}

static void wait_add_parts(const looking *l, const snapshot *s, loop_wait *to, int wait, int depth)
{
    for (int w = wait; w >= 0 && to->part_count < PARTS && depth < DEEP; w = s->waits[w].next) {
        to->parts[to->part_count++] = part_name(l, s, &s->waits[w]);
        wait_add_parts(l, s, to, s->waits[w].first, depth + 1);
    }
}

static void wait_set(const looking *l, const snapshot *s, loop_wait *to, int wait)
{
    if (wait < 0)
        return;
    const seen_wait *const w = &s->waits[wait];
    to->awaits = looking_keep(l, w->maker);
    if (w->name)
        to->parts[to->part_count++] = part_name(l, s, w);
    wait_add_parts(l, s, to, w->first, 0);
}

static void look_add_tasks(const looking *l, const snapshot *s)
{
    static const char *const STATES[] = {
        [SEEN_RUNS] = "runs", [SEEN_NEW] = "new", [SEEN_YIELDS] = "yields", [SEEN_AWAITS] = "awaits",
    };
    for (size_t i = s->task_count; i-- > 0;) {               /* the youngest is the first */
        const seen_task *const t = &s->tasks[i];
        loop_wait *const w = s->loops[t->loop].number == l->look->loop ? look_add(l, "task") : NULL;
        if (!w)
            continue;
        w->number = (int)(t->at >> 6);
        w->age = t->age;
        w->state = STATES[t->state];
        w->name = looking_keep(l, t->name);
        w->whom = looking_keep(l, t->label);
        w->place = t->place ? looking_keep(l, target_place(s->target, t->place)) : NULL;
        wait_set(l, s, w, t->awaits);
    }
}

static void look_add_requests(const looking *l, const snapshot *s)
{
    static const char *const STATES[] = {
        [SEEN_WAITS] = "waits", [SEEN_PROMISE] = "promise", [SEEN_CALLBACK] = "callback", [SEEN_NOT_BEGUN] = "new",
    };
    for (size_t i = 0; i < s->request_count; i++) {
        const seen_request *const r = &s->requests[i];
        const bool here = r->loop >= 0 && s->loops[r->loop].number == l->look->loop;
        loop_wait *const w = here ? look_add(l, "request") : NULL;
        if (!w)
            continue;
        w->age = r->age;
        w->state = STATES[r->kind];
        w->whom = arena_printf(l->arena, "%s %s", r->method, r->path);
        w->place = r->awaits >= 0 ? looking_keep(l, target_place(s->target, s->waits[r->awaits].place)) : NULL;
        wait_set(l, s, w, r->awaits);
    }
}

static void look_add_threads(const looking *l, const snapshot *s)
{
    for (size_t i = 0; i < s->thread_count; i++) {
        const seen_thread *const t = &s->threads[i];
        l->look->idle += !t->method;
        loop_wait *const w = t->method ? look_add(l, "thread") : NULL;
        if (!w)
            continue;
        w->number = (int)t->id;
        w->age = t->age;
        w->state = t->count ? "blocked" : "runs";
        w->whom = arena_printf(l->arena, "%s %s", t->method, t->path);
        for (int f = 0; f < t->count && f < FRAMES; f++)
            w->parts[w->part_count++] = looking_keep(l, target_frame(s->target, t->frames[f]));
    }
}

/* But this thread, which does nothing but look. */
static void look_add_works(const looking *l, const snapshot *s)
{
    const pid_t looks = (pid_t)syscall(SYS_gettid);
    for (size_t i = s->work_count; i-- > 0 && l->look->work_count < LOOP_LOOK_WORKS;) {
        const seen_work *const w = &s->works[i];
        if (w->thread == looks)
            continue;
        l->look->works[l->look->work_count++] = (loop_work){
            .name = looking_keep(l, w->name), .what = looking_keep(l, w->what), .whom = looking_keep(l, w->label),
            .number = w->number, .age = w->age,
        };
    }
}

static void look_add_queues(const looking *l, const snapshot *s)
{
    enum { MOST = sizeof l->look->queues / sizeof l->look->queues[0] };
    for (size_t i = 0; i < s->gauge_count && l->look->queue_count < MOST; i++) {
        const seen_gauge *const g = &s->gauges[i];
        if (g->value <= 0 || (g->loop >= 0 && s->loops[g->loop].number != l->look->loop))
            continue;
        l->look->queues[l->look->queue_count].name = looking_keep(l, g->name);
        l->look->queues[l->look->queue_count++].count = g->value;
    }
}

static int wait_compare(const void *a, const void *b)
{
    const loop_wait *const x = a, *const y = b;
    return x->age != y->age ? (x->age < y->age ? 1 : -1) : 0;
}

static void look_at(target *t, void *arg)
{
    looking *const l = arg;
    snapshot s;
    l->err = snapshot_take(&s, t, l->why, l->size);
    if (l->err)
        return;
    l->look->took_ms = (double)s.took / 1e6;
    if (l->look->loop) {
        look_add_tasks(l, &s);
        look_add_requests(l, &s);
    } else {
        look_add_threads(l, &s);
    }
    look_add_works(l, &s);
    look_add_queues(l, &s);
    qsort(l->look->waits, (size_t)l->look->wait_count, sizeof l->look->waits[0], wait_compare);
    snapshot_free(&s);
}

int loop_look_take(loop_look *l, arena *a, int loop, char *why, size_t size)
{
    looking k = { l, a, why, size, 0 };
    memset(l, 0, sizeof *l);
    l->loop = loop;
    const int err = self_look(look_at, &k, why, size);
    return err ? err : k.err;
}

/* Writing. */

static void write_key(buffer *b, const char *key, const char *value)
{
    buffer_printf(b, ",\"%s\":", key);
    if (value)
        buffer_json(b, text_of(value));
    else
        buffer_text(b, TEXT("null"));
}

static void wait_write_json(buffer *b, const loop_wait *w)
{
    buffer_printf(b, "{\"is\":\"%s\",\"state\":\"%s\",\"number\":%d,\"age_ms\":%llu", w->is, w->state, w->number,
                  (unsigned long long)w->age);
    write_key(b, "name", w->name);
    write_key(b, "for", w->whom);
    write_key(b, "awaits", w->awaits);
    write_key(b, "place", w->place);
    buffer_text(b, TEXT(",\"parts\":["));
    for (int i = 0; i < w->part_count; i++) {
        buffer_text(b, i ? TEXT(",") : TEXT(""));
        buffer_json(b, text_of(w->parts[i]));
    }
    buffer_text(b, TEXT("]}"));
}

static void work_write_json(buffer *b, const loop_work *w)
{
    buffer_printf(b, "{\"number\":%d,\"age_ms\":%llu", w->number, (unsigned long long)w->age);
    write_key(b, "name", w->name);
    write_key(b, "what", w->what);
    write_key(b, "for", w->whom);
    buffer_text(b, TEXT("}"));
}

static void write_entries(buffer *b)
{
    uint64_t written[MOST_LOOPS];
    const int count = recorder_watch_count(written, MOST_LOOPS);
    for (int i = 0; i < count && i < MOST_LOOPS; i++)
        buffer_printf(b, "%s%llu", i ? "," : "", (unsigned long long)written[i]);
}

void loop_look_write_json(buffer *b, const loop_look *l)
{
    buffer_printf(b, "{\"mode\":\"%s\",\"loop\":%d,\"took_ms\":%.1f,\"count\":%zu,\"idle\":%zu,\"waits\":[",
                  l->loop ? "async" : "threads", l->loop, l->took_ms, l->count, l->idle);
    for (int i = 0; i < l->wait_count; i++) {
        buffer_text(b, i ? TEXT(",") : TEXT(""));
        wait_write_json(b, &l->waits[i]);
    }
    buffer_text(b, TEXT("],\"at_work\":["));
    for (int i = 0; i < l->work_count; i++) {
        buffer_text(b, i ? TEXT(",") : TEXT(""));
        work_write_json(b, &l->works[i]);
    }
    buffer_text(b, TEXT("],\"queues\":["));
    for (int i = 0; i < l->queue_count; i++) {
        buffer_printf(b, "%s{\"count\":%lld", i ? "," : "", (long long)l->queues[i].count);
        write_key(b, "name", l->queues[i].name);
        buffer_text(b, TEXT("}"));
    }
    buffer_text(b, TEXT("],\"entries\":["));
    write_entries(b);
    buffer_text(b, TEXT("]}"));
}

static void write_cell(buffer *b, const char *what)
{
    buffer_text(b, TEXT("<td>"));
    buffer_html(b, text_of(what ? what : ""));
}

void loop_look_write_rows(buffer *b, const loop_look *l)
{
    for (int i = 0; i < l->wait_count; i++) {
        const loop_wait *const w = &l->waits[i];
        buffer_text(b, TEXT("<tr>"));
        write_cell(b, w->whom);
        buffer_text(b, TEXT("</td>"));
        write_cell(b, w->awaits ? w->awaits : w->state);
        buffer_text(b, TEXT(" <small>"));
        buffer_html(b, text_of(w->place ? w->place : ""));
        buffer_text(b, TEXT("</small>"));
        for (int p = 0; p < w->part_count; p++) {
            buffer_text(b, TEXT("<br><small>"));
            buffer_html(b, text_of(w->parts[p]));
            buffer_text(b, TEXT("</small>"));
        }
        buffer_printf(b, "</td><td class=\"number\">%llu ms</td></tr>\n", (unsigned long long)w->age);
    }
    for (int i = 0; i < l->work_count; i++) {
        const loop_work *const w = &l->works[i];
        buffer_text(b, TEXT("<tr>"));
        write_cell(b, w->whom);
        buffer_text(b, TEXT("</td>"));
        write_cell(b, w->what);
        buffer_printf(b, " <small>%s %d</small></td><td class=\"number\">%llu ms</td></tr>\n", w->name, w->number,
                      (unsigned long long)w->age);
    }
}
