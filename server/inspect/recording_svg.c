/* recording_svg.c - see recording_svg.h. Each ring is read three times: for its range of time, for its longest requests, and for
 * what was done for these. */
#include "recording_svg.h"
#include "rings.h"
#include "server/base/memory.h"

#include <stdlib.h>
#include <string.h>
#include <uv.h>

enum {
    MOST_RINGS = 16, MOST_REQUESTS = 200, MOST_PARTS = 3000, MOST_LANES = 40,
    WIDTH = 1200, LEFT = 20, RIGHT = 20, PLOT = WIDTH - LEFT - RIGHT,
    TOP = 92, HEAD = 30, BUSY = 34, LANE = 15, BAR = 12, GAP = 26,
};

typedef struct shown { uint64_t since, end; uint16_t label, request; int32_t outcome; int lane; const char *whom; } shown;

/* What is drawn of a ring. */
typedef struct band {
    shown    requests[MOST_REQUESTS];        /* the longest; by since, once all are known */
    int      count, lanes, parts, parts_left_out;
    uint64_t all;                            /* requests */
    double   busy[PLOT];                     /* nanoseconds of tasks, by columns */
    int      top;                            /* of it, in the picture */
} band;

typedef struct picture {
    FILE    *out;
    uint64_t start, end;                     /* of the picture, by uv_hrtime */
    band    *now;
    int      band_count;
    band     bands[MOST_RINGS];
} picture;

static double x_of(const picture *p, uint64_t at)
{
    const uint64_t within = at < p->start ? 0 : at > p->end ? p->end - p->start : at - p->start;
    return LEFT + (double)within * PLOT / (double)(p->end - p->start);
}

static void put_text(FILE *out, const char *t)
{
    for (; *t; t++)
        switch (*t) {
        case '&': fputs("&amp;", out); break;
        case '<': fputs("&lt;", out); break;
        case '>': fputs("&gt;", out); break;
        case '"': fputs("&quot;", out); break;
        default:  fputc((unsigned char)*t < 0x20 ? ' ' : *t, out);
        }
}

/* Reading. */

static bool find_range(const recorded *e, void *arg)
{
    picture *const p = arg;
    p->start = e->end < p->start ? e->end : p->start;        /* what began before all others ended may be cut */
    p->end = e->end > p->end ? e->end : p->end;
    return true;
}

static bool take_longest(const recorded *e, void *arg)
{
    band *const b = ((picture *)arg)->now;
    if (e->kind != RECORD_REQUEST)
        return true;
    b->all++;
    shown *to = b->requests;
    if (b->count < MOST_REQUESTS)
        to = &b->requests[b->count++];
    else
        for (shown *r = b->requests; r < b->requests + MOST_REQUESTS; r++)
            to = r->end - r->since < to->end - to->since ? r : to;
    if (to == &b->requests[b->count - 1] || e->end - e->since > to->end - to->since)
        *to = (shown){ e->since, e->end, e->label, e->request, e->value, 0, e->whom };
    return true;
}

static int by_since(const void *a, const void *b)
{
    const shown *const x = a, *const y = b;
    return (x->since > y->since) - (x->since < y->since);
}

/* The first lane that is free by then; those for which there is none are not drawn. */
static void lanes_fill(band *b)
{
    uint64_t until[MOST_LANES] = { 0 };
    int kept = 0;
    qsort(b->requests, (size_t)b->count, sizeof b->requests[0], by_since);
    for (int i = 0; i < b->count; i++) {
        shown r = b->requests[i];
        while (r.lane < MOST_LANES && until[r.lane] > r.since)
            r.lane++;
        if (r.lane == MOST_LANES)
            continue;
        until[r.lane] = r.end;
        b->lanes = r.lane >= b->lanes ? r.lane + 1 : b->lanes;
        b->requests[kept++] = r;
    }
    b->count = kept;
}

/* Drawing. */

static void draw_bar(const picture *p, const char *class, uint64_t since, uint64_t end, int y, int height)
{
    const double x = x_of(p, since), width = x_of(p, end) - x;
    fprintf(p->out, "<rect class=\"%s\" x=\"%.2f\" y=\"%d\" width=\"%.2f\" height=\"%d\"><title>", class, x, y,
            width > .6 ? width : .6, height);
}

static void end_bar(const picture *p, uint64_t since, uint64_t end)
{
    fprintf(p->out, ", %.3f ms</title></rect>\n", (double)(end - since) / 1e6);
}

static int lane_top(const band *b, int lane) { return b->top + HEAD + BUSY + 6 + lane * LANE; }

static void draw_requests(const picture *p)
{
    const band *const b = p->now;
    for (const shown *r = b->requests; r < b->requests + b->count; r++) {
        draw_bar(p, r->outcome ? "request bad" : "request", r->since, r->end, lane_top(b, r->lane), BAR);
        put_text(p->out, r->whom);
        if (r->outcome)
            fprintf(p->out, " (%d)", (int)r->outcome);
        end_bar(p, r->since, r->end);
    }
}

static const shown *request_of(const band *b, const recorded *e)
{
    for (const shown *r = b->requests; e->request && r < b->requests + b->count; r++)
        if (r->request == e->request && r->label == e->label && e->end > r->since && e->since < r->end)
            return r;
    return NULL;
}

static void add_busy(const picture *p, const recorded *e)
{
    const double from = x_of(p, e->since) - LEFT, to = x_of(p, e->end) - LEFT;
    const double column = (double)(p->end - p->start) / PLOT;
    for (int i = (int)from; i <= (int)to && i < PLOT; i++) {
        const double left = from > i ? from : i, right = to < i + 1 ? to : i + 1;
        p->now->busy[i] += right > left ? (right - left) * column : 0;
    }
}

static bool draw_part(const recorded *e, void *arg)
{
    static const struct { const char *class; int top, height; } PARTS[RECORD_DETAILS] = {
        [RECORD_LINE] = { "line", 0, BAR },   [RECORD_WAITED] = { "await", BAR - 3, 3 },
        [RECORD_QUERY] = { "query", 1, 7 },   [RECORD_JOB] = { "job", 1, 7 },
    };
    picture *const p = arg;
    band *const b = p->now;
    if (e->kind == RECORD_RUN)
        add_busy(p, e);
    const shown *const r = PARTS[e->kind].class ? request_of(b, e) : NULL;
    if (!r)
        return true;
    if (b->parts == MOST_PARTS) {
        b->parts_left_out++;
        return true;
    }
    b->parts++;
    const int y = lane_top(b, r->lane) + PARTS[e->kind].top;
    if (e->queued > 0) {
        draw_bar(p, "queued", e->since, e->since + e->queued, y, PARTS[e->kind].height);
        fprintf(p->out, "waits its turn: ");
        put_text(p->out, e->what);
        end_bar(p, e->since, e->since + e->queued);
    }
    draw_bar(p, PARTS[e->kind].class, e->since + e->queued, e->end, y, PARTS[e->kind].height);
    fprintf(p->out, "%s ", PARTS[e->kind].class);
    put_text(p->out, e->what);
    if (*e->place) {
        fputc(' ', p->out);
        put_text(p->out, e->place);
    }
    end_bar(p, e->since + e->queued, e->end);
    return true;
}

/* An area, as high as the column's time was used. */
static void draw_busy(const picture *p)
{
    const band *const b = p->now;
    const int floor = b->top + HEAD + BUSY;
    const double column = (double)(p->end - p->start) / PLOT;
    fprintf(p->out, "<path class=\"busy\" d=\"M%d %d", LEFT, floor);
    for (int i = 0; i < PLOT; i++) {
        const double part = b->busy[i] / column;
        if (i == 0 || b->busy[i] != b->busy[i - 1])          /* NOLINT: the same or not */
            fprintf(p->out, "H%d V%.1f", LEFT + i, floor - BUSY * (part < 1 ? part : 1));
    }
    fprintf(p->out, "H%d V%d z\"><title>how busy tasks kept it</title></path>\n", LEFT + PLOT, floor);
}

static void draw_head(const picture *p, const rings *all, int i)
{
    const band *const b = p->now;
    fprintf(p->out, "<text class=\"name\" x=\"%d\" y=\"%d\">", LEFT, b->top + 14);
    put_text(p->out, ring_name(all, i));
    if (ring_thread(all, i))
        fprintf(p->out, ", thread %d", (int)ring_thread(all, i));
    fprintf(p->out, "<tspan class=\"soft\">  %llu requests", (unsigned long long)b->all);
    if ((uint64_t)b->count < b->all)
        fprintf(p->out, ", of which the longest %d are drawn", b->count);
    if (b->parts_left_out > 0)
        fprintf(p->out, "; %d of their parts are not", b->parts_left_out);
    fputs("</tspan></text>\n", p->out);
}

static void draw_axis(const picture *p, int height)
{
    const double all = (double)(p->end - p->start) / 1e6;
    double step = .001;
    for (int i = 0; all / step > 10; i++)
        step *= i % 3 == 1 ? 2.5 : 2;        /* 1, 2, 5, 10 */
    for (double at = 0; at <= all; at += step) {
        const double x = LEFT + at / all * PLOT;
        fprintf(p->out, "<path class=\"grid\" d=\"M%.2f %d V%d\"/><text class=\"soft\" x=\"%.2f\" y=\"%d\" "
                        "text-anchor=\"middle\">%g ms"
                        "</text>\n", x, TOP - 14, height - 8, x, TOP - 20, at);
    }
}

static void draw_begin(const picture *p, const char *program, int process, int height)
{
    static const char *const KEYS[][2] = {
        { "request", "a request" }, { "line", "in line to be admitted" }, { "query", "query" }, { "job", "job of the pool" },
        { "queued", "waits its turn" }, { "await", "awaits" }, { "busy", "busy" }, { "bad", "failed" },
    };
    fprintf(p->out, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" role=\"img\" aria-labelledby=\"t\">\n"
                    "<title id=\"t\">What process %d did last, %.0f ms</title>\n<style>\n", WIDTH, height, process,
            (double)(p->end - p->start) / 1e6);
    fputs("svg { background: #fdfcf9; } text { font: 12px system-ui, sans-serif; fill: #1c1b19; } .name { font-weight: 700; }\n"
          ".soft { fill: #6c6862; font-size: 11px; font-weight: 400; } .grid { stroke: #dedad2; }\n"
          ".request { fill: #d5d0c6; } .bad { fill: #e8a1b3; } .line { fill: #c2410c; } .query { fill: #1f5f8b; } .job { "
          "fill: #3f7d4e; }\n"
          ".queued { fill: #d9a441; } .await { fill: #9a3412; } .busy { fill: #9a3412; }\n"
          "@media (prefers-color-scheme: dark) { svg { background: #171614; } text { fill: #e9e6e0; } .soft { fill: #a09b92; }\n"
          ".grid { stroke: #3a3733; } .request { fill: #4a463f; } .bad { fill: #7a2f42; } .query { fill: #7cc0ee; } .job { "
          "fill: #7fc08f; }\n"
          ".await, .busy { fill: #fb923c; } }\n</style>\n", p->out);
    fprintf(p->out, "<text class=\"name\" x=\"%d\" y=\"20\">", LEFT);
    put_text(p->out, program);
    fprintf(p->out, ", process %d<tspan class=\"soft\">  what it did last: %.0f ms</tspan></text>\n", process,
            (double)(p->end - p->start) / 1e6);
    for (size_t i = 0; i < sizeof KEYS / sizeof KEYS[0]; i++)
        fprintf(p->out, "<rect class=\"%s\" x=\"%zu\" y=\"34\" width=\"16\" height=\"9\"/><text class=\"soft\" x=\"%zu\" "
                        "y=\"43\">%s</text>\n",
                KEYS[i][0], LEFT + i * 145, LEFT + i * 145 + 21, KEYS[i][1]);
}

/* Where each band goes; how high all is. */
static int bands_place(picture *p)
{
    int top = TOP;
    for (band *b = p->bands; b < p->bands + p->band_count; b++) {
        b->top = top;
        top += HEAD + BUSY + 6 + b->lanes * LANE + GAP;
    }
    return top;
}

static void picture_read(picture *p, rings *all)
{
    p->band_count = rings_count(all) < MOST_RINGS ? rings_count(all) : MOST_RINGS;
    p->start = UINT64_MAX;
    for (int i = 0; i < p->band_count; i++)
        ring_each(all, i, find_range, p);
    p->start = p->start < p->end ? p->start : p->end - 1;
    for (int i = 0; i < p->band_count; i++) {
        p->now = &p->bands[i];
        ring_each(all, i, take_longest, p);
        lanes_fill(p->now);
    }
}

int recording_write_svg(target *t, FILE *out, char *why, size_t size)
{
    rings *all;
    int err = rings_open(&all, t, why, size);
    if (err)
        return err;
    picture *const p = mem_alloc(sizeof *p);
    p->out = out;
    p->end = 1;
    picture_read(p, all);
    const int height = bands_place(p);
    draw_begin(p, target_program(t), (int)target_process(t), height);
    draw_axis(p, height);
    for (int i = 0; i < p->band_count; i++) {
        p->now = &p->bands[i];
        draw_requests(p);
        ring_each(all, i, draw_part, p);
        draw_busy(p);
        draw_head(p, all, i);
    }
    if (fputs("</svg>\n", out) == EOF || fflush(out) || ferror(out)) {
        err = UV_EIO;
        snprintf(why, size, "cannot write the picture: %s", uv_strerror(err));
    }
    mem_free(p);
    rings_close(all);
    return err;
}
