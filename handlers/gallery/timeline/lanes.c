/* lanes.c - see picture.h: what is in a recording, and where it is drawn. A track has a lane of its own; where there are more
 * than a screen has room for, those of one name share one. */
#include "picture.h"

enum { TOP = 24 /* the axis */, TITLE = 30, NAME = 18, BAR = 18, BETWEEN = 8, PLOT = 54, CROWD = 84 };

static void half_read_track(half *h, const trace_event *e)
{
    shown *s = &h->tracks[e->track];
    if (e->kind == TRACE_BEGIN) {
        *s = (shown){ .name = e->name, .begun = e->at, .ended = h->took, .line = e->line, .task = e->value, .lane = -1 };
        if (e->track >= h->track_count)
            h->track_count = e->track + 1;
    } else if (e->kind == TRACE_END) {
        s->ended = e->at;
        s->outcome = e->value;
    }
}

static void half_read_plot(half *h, const trace_event *e)
{
    const plot_kind kind = e->kind == TRACE_TOOK ? PLOT_TOOK : PLOT_VALUE;
    int i = 0;
    while (i < h->plot_count && (h->plots[i].kind != kind || strcmp(h->plots[i].name, e->name) != 0))
        i++;
    if (i == PLOTS)
        return;
    if (i == h->plot_count)
        h->plots[h->plot_count++] = (plotted){ .name = e->name, .kind = kind, .most = 1 };
    if (e->value > h->plots[i].most)
        h->plots[i].most = e->value;
}

static void half_read(half *h, const recording *r, arena *a)
{
    h->of = r;
    h->events = trace_events(r->trace);
    h->count = trace_count(r->trace);
    h->took = h->events[h->count - 1].at;
    h->tracks = arena_alloc(a, TRACE_TRACKS * sizeof *h->tracks);
    for (int i = 0; i < h->count; i++) {
        const trace_event *e = &h->events[i];
        if (e->kind == TRACE_BEGIN || e->kind == TRACE_END)
            half_read_track(h, e);
        else if (e->kind == TRACE_VALUE || e->kind == TRACE_TOOK)
            half_read_plot(h, e);
        else if (e->kind == TRACE_WAKE)
            h->tracks[e->track].wakes++;
    }
}

/* Tracks of one name that are to share a lane have it from the first of them on; others have one each. */
static lane *half_lane_for(half *h, const shown *s, bool fold)
{
    for (int i = 0; fold && i < h->lane_count; i++)
        if (h->lanes[i].name == s->name || strcmp(h->lanes[i].name, s->name) == 0)
            return &h->lanes[i];
    if (h->lane_count == LANES)
        return NULL;
    lane *l = &h->lanes[h->lane_count++];
    *l = (lane){ .name = s->name, .task = s->task };
    return l;
}

static void half_divide(half *h)
{
    const bool fold = h->track_count > FOLD_FROM;
    for (int i = 1; i < h->track_count; i++) {
        shown *s = &h->tracks[i];
        lane *l = s->name ? half_lane_for(h, s, fold) : NULL;
        s->lane = l ? (int)(l - h->lanes) : -1;
        if (!l) {
            h->left_out++;
            continue;
        }
        s->place = l->tracks++;
        l->failed += s->outcome != 0;
    }
}

static double lane_height(const lane *l)
{
    if (l->tracks == 1)
        return BAR;
    if (l->tracks > THIN_LINES)
        return CROWD;
    const double each = 220.0 / l->tracks;
    return l->tracks * (each > 9 ? 9 : each);
}

static double half_place(half *h, double y, bool titled)
{
    h->y = y;
    y += titled ? TITLE : 0;
    for (int i = 0; i < h->lane_count; i++) {
        lane *l = &h->lanes[i];
        l->y = y + NAME;
        l->height = lane_height(l);
        y = l->y + l->height + BETWEEN;
    }
    for (int i = 0; i < h->plot_count; i++) {
        h->plots[i].y = y + 4;
        y += NAME + 4 + PLOT + BETWEEN;
    }
    return y;
}

/* What took long is drawn to one scale. */
static void picture_share_scale(picture *p)
{
    int32_t most = 50000;                    /* what is short is to look short */
    for (int i = 0; i < p->half_count; i++)
        for (int k = 0; k < p->halves[i].plot_count; k++)
            if (p->halves[i].plots[k].kind == PLOT_TOOK && p->halves[i].plots[k].most > most)
                most = p->halves[i].plots[k].most;
    for (int i = 0; i < p->half_count; i++)
        for (int k = 0; k < p->halves[i].plot_count; k++)
            if (p->halves[i].plots[k].kind == PLOT_TOOK)
                p->halves[i].plots[k].most = most;
}

void picture_read(picture *p, const recording *r)
{
    double y = TOP;
    p->half_count = r->twins ? 2 : 1;
    p->total = 1;
    for (int i = 0; i < p->half_count; i++) {
        half *h = &p->halves[i];
        half_read(h, r->twins ? &r->twins[i] : r, p->b->arena);
        half_divide(h);
        if (h->took > p->total)
            p->total = h->took;
    }
    picture_share_scale(p);
    for (int i = 0; i < p->half_count; i++)
        y = half_place(&p->halves[i], y, p->half_count > 1);
    p->height = y;
}
