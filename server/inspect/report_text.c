/* report_text.c - see report.h: for people. */
#include "report.h"
#include "server/base/memory.h"

#include <stdlib.h>
#include <string.h>

/* A line: a task, a request without one, or a thread. */
typedef struct row {
    enum { ROW_TASK, ROW_REQUEST, ROW_THREAD } kind;
    int      index;
    uint64_t age;
} row;

static int row_compare(const void *a, const void *b)
{
    const row *const x = a, *const y = b;
    if (x->age != y->age)
        return x->age < y->age ? 1 : -1;
    return x->kind != y->kind ? (int)x->kind - (int)y->kind : x->index - y->index;
}

/* All of them, the oldest first; the caller's to free. */
static row *rows_of(const snapshot *s, size_t *count)
{
    row *const rows = mem_alloc((s->task_count + s->request_count + s->thread_count + 1) * sizeof *rows);
    size_t n = 0;
    for (size_t i = 0; i < s->task_count; i++)
        rows[n++] = (row){ ROW_TASK, (int)i, s->tasks[i].age };
    for (size_t i = 0; i < s->request_count; i++)
        rows[n++] = (row){ ROW_REQUEST, (int)i, s->requests[i].age };
    for (size_t i = 0; i < s->thread_count; i++)
        if (s->threads[i].method)
            rows[n++] = (row){ ROW_THREAD, (int)i, s->threads[i].age };
    qsort(rows, n, sizeof *rows, row_compare);
    *count = n;
    return rows;
}

static bool frame_is_named(const char *frame) { return strchr(frame, '(') != NULL; }

/* The innermost, from the first with a name on: what is around them is the same for all, and what is in a library without
 * names says nothing. */
static void write_stack(const snapshot *s, const uint64_t frames[], int count, FILE *out)
{
    enum { MOST = 8 };
    int first = 0;
    while (first < count - 1 && !frame_is_named(target_frame(s->target, frames[first])))
        first++;
    for (int i = first; i < count && i < first + MOST; i++)
        fprintf(out, "%s%s", i > first ? " < " : "", target_frame(s->target, frames[i]));
}

/* "query() at db/x.c:3 (user_by_id, queued)" */
static void write_wait(const snapshot *s, const seen_wait *w, FILE *out)
{
    fprintf(out, "%s() at %s", w->maker, target_place(s->target, w->place));
    if (w->name)
        fprintf(out, " (%s%s)", w->name, w->queued ? ", queued" : "");
    if (w->task >= 0 && strcmp(s->tasks[w->task].name, "?") != 0)
        fprintf(out, " (task %s)", s->tasks[w->task].name);
}

/* The same place twice says nothing; nor does that of a jump out of await's own file. */
static bool place_is_worth_a_word(const char *place, const char *called)
{
    return place[0] && strcmp(place, called) != 0 && strncmp(place, "server/async/task.c:", 20) != 0;
}

static void write_state(const snapshot *s, const seen_task *t, FILE *out)
{
    const seen_wait *const w = t->awaits >= 0 ? &s->waits[t->awaits] : NULL;
    const char *const place = target_place(s->target, t->place);
    switch (t->state) {
    case SEEN_RUNS:   fputs("runs", out); break;
    case SEEN_NEW:    fputs("has not begun", out); break;
    case SEEN_YIELDS: fprintf(out, "yields at %s, or is about to go on", place); break;
    case SEEN_AWAITS:
        if (!w) {
            fprintf(out, "awaits at %s", place);
            break;
        }
        fputs("awaits ", out);
        write_wait(s, w, out);
        if (place_is_worth_a_word(place, target_place(s->target, w->place)))
            fprintf(out, ", awaited at %s", place);
        break;
    }
}

static int loop_number(const snapshot *s, int loop) { return loop >= 0 ? s->loops[loop].number : 0; }

static void write_task(const snapshot *s, const seen_task *t, FILE *out)
{
    fprintf(out, "%s, %u ms old (%s), ", t->name, t->age, t->label);
    write_state(s, t, out);
}

static void write_request(const snapshot *s, const seen_request *r, FILE *out)
{
    fprintf(out, "%s %s, %llu ms old, ", r->method, r->path, (unsigned long long)r->age);
    switch (r->kind) {
    case SEEN_WAITS:     fputs("waits to be admitted", out); break;
    case SEEN_NOT_BEGUN: fputs("has not begun, or is being answered", out); break;
    case SEEN_CALLBACK:  fputs("waits for a callback", out); break;
    case SEEN_PROMISE:
        fputs("waits for ", out);
        if (r->awaits >= 0)
            write_wait(s, &s->waits[r->awaits], out);
        break;
    }
}

static void write_row(const snapshot *s, const row *r, FILE *out)
{
    if (r->kind == ROW_TASK) {
        const seen_task *const t = &s->tasks[r->index];
        fprintf(out, "loop %d: ", loop_number(s, t->loop));
        write_task(s, t, out);
    } else if (r->kind == ROW_REQUEST) {
        const seen_request *const q = &s->requests[r->index];
        fprintf(out, "loop %d: ", loop_number(s, q->loop));
        write_request(s, q, out);
    } else {
        const seen_thread *const t = &s->threads[r->index];
        fprintf(out, "thread %d: %s %s, %llu ms old, ", (int)t->id, t->method, t->path, (unsigned long long)t->age);
        fputs(t->count ? "blocks in " : "runs", out);
        write_stack(s, t->frames, t->count, out);
    }
    fputc('\n', out);
}

static void write_loop(const snapshot *s, const seen_loop *l, FILE *out)
{
    fprintf(out, "loop %d, thread %d: %zu task%s%s, ", l->number, (int)l->thread, l->tasks, l->tasks == 1 ? "" : "s",
            l->whole ? "" : " and more, which changed too fast to be read");
    if (!l->busy) {
        fputs("waits for something to do\n", out);
        return;
    }
    fprintf(out, "has been busy for %llu ms", (unsigned long long)l->busy_ms);
    if (l->label)
        fprintf(out, " with %s", l->label);
    if (l->name)
        fprintf(out, " (%s)", l->name);
    fputs(l->count ? ": " : "", out);
    write_stack(s, l->frames, l->count, out);
    fputc('\n', out);
}

/* "sqlite reader 2, thread 4713: user_by_id for GET /users/:id, 34 ms" */
static void write_work(const seen_work *w, FILE *out)
{
    fprintf(out, "%s %d, thread %d: %s", w->name, w->number, (int)w->thread, w->what);
    if (w->label)
        fprintf(out, " for %s", w->label);
    fprintf(out, ", %llu ms\n", (unsigned long long)w->age);
}

static void write_gauges(const snapshot *s, FILE *out)
{
    size_t queries, queued;
    seen_count_queries(s, &queries, &queued);
    if (queries)
        fprintf(out, "queries and jobs under way: %zu, of which %zu wait for their turn\n", queries, queued);
    for (size_t i = 0; i < s->gauge_count; i++) {
        const seen_gauge *const g = &s->gauges[i];
        if (g->value <= 0)
            continue;
        if (g->loop >= 0)
            fprintf(out, "loop %d: ", s->loops[g->loop].number);
        fprintf(out, "%s: %lld\n", g->name, (long long)g->value);
    }
}

void report_head(const snapshot *s, FILE *out)
{
    size_t busy = 0;
    for (size_t i = 0; i < s->thread_count; i++)
        busy += s->threads[i].method != NULL;
    fprintf(out, "%s, process %d, ", target_program(s->target), (int)target_process(s->target));
    if (s->threads_mode)
        fprintf(out, "threads mode: %zu thread%s with a client, %zu with a request", s->thread_count,
                s->thread_count == 1 ? "" : "s", busy);
    if (s->threads_mode && s->async_mode)
        fputs("; async mode: ", out);        /* both, side by side */
    if (s->async_mode || !s->threads_mode)
        fprintf(out, "%zu loop%s: %zu task%s, %zu request%s without one", s->loop_count, s->loop_count == 1 ? "" : "s",
                s->task_count, s->task_count == 1 ? "" : "s", s->request_count, s->request_count == 1 ? "" : "s");
    fprintf(out, "; read in %.1f ms\n", (double)s->took / 1e6);
    for (size_t i = s->loop_count; i-- > 0;)
        write_loop(s, &s->loops[i], out);
    for (size_t i = s->work_count; i-- > 0;)
        write_work(&s->works[i], out);
    write_gauges(s, out);
}

void report_oldest(const snapshot *s, int n, FILE *out)
{
    size_t count;
    row *const rows = rows_of(s, &count);
    for (size_t i = 0; i < count && i < (size_t)n; i++)
        write_row(s, &rows[i], out);
    mem_free(rows);
}

void report_text(const snapshot *s, FILE *out)
{
    report_head(s, out);
    report_oldest(s, INT32_MAX, out);
}

/* The tree. */

enum { DEEPEST = 64 };

static void write_parts(const snapshot *s, int wait, int depth, FILE *out);

/* A promise, or the task whose outcome it is: that one goes on with what it awaits itself. */
static void write_node(const snapshot *s, const seen_wait *w, int depth, FILE *out)
{
    fprintf(out, "%*s", 2 * depth, "");
    write_wait(s, w, out);
    if (w->task >= 0) {
        const seen_task *const t = &s->tasks[w->task];
        fprintf(out, ": %s, %u ms old", t->name, t->age);
        if (t->awaits < 0) {
            fputs(", ", out);
            write_state(s, t, out);
        }
        fputc('\n', out);
        write_parts(s, t->awaits, depth + 1, out);
        return;
    }
    fputc('\n', out);
    write_parts(s, w->first, depth + 1, out);
}

static void write_parts(const snapshot *s, int wait, int depth, FILE *out)
{
    for (int w = wait; w >= 0 && depth < DEEPEST; w = s->waits[w].next)
        write_node(s, &s->waits[w], depth, out);
}

static void write_root(const snapshot *s, const row *r, FILE *out)
{
    write_row(s, r, out);
    if (r->kind == ROW_TASK && s->tasks[r->index].awaits >= 0) {
        const seen_wait *const w = &s->waits[s->tasks[r->index].awaits];
        write_parts(s, w->task >= 0 ? s->tasks[r->index].awaits : w->first, 1, out);
    } else if (r->kind == ROW_REQUEST && s->requests[r->index].awaits >= 0) {
        write_parts(s, s->waits[s->requests[r->index].awaits].first, 1, out);
    }
}

void report_tree(const snapshot *s, FILE *out)
{
    size_t count;
    row *const rows = rows_of(s, &count);
    report_head(s, out);
    for (size_t i = 0; i < count; i++)
        if (rows[i].kind != ROW_TASK || s->tasks[rows[i].index].parent < 0)
            write_root(s, &rows[i], out);
    mem_free(rows);
}
