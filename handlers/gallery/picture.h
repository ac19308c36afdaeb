/* picture.h - the paper that a timeline is drawn on: where a time and a row are, the axis, and plots. */
#ifndef PICTURE_H
#define PICTURE_H

#include "gallery.h"

enum {
    PICTURE_WIDTH = 960,
    AXIS_LEFT = 186, AXIS_END = 870,         /* of the time's axis; more of the picture is behind it */
    TOP = 26,                                /* the axis' own height */
    PLOT = 74,                               /* height of one plotted value, with its name */
    SERIES = 6,                              /* values that are plotted, at most */
    STEP = 1000,                             /* microseconds that stand for one step of an order */
};

static const double LETTER = 7.2, CODE_LETTER = 6.2;         /* widths of one: of names, of source */

typedef struct picture {
    buffer            *b;
    bool               in_order;             /* the axis counts steps */
    const trace_event *events;
    int                count;
    uint32_t           total;                /* microseconds */
    int                tracks, rows;         /* there are; are drawn */
    double             row;                  /* height of one */
    const char        *series[SERIES];       /* names of values */
    int                series_count;
    struct executor       *executors;
    const char        *named;                /* the track's that got its name last */
    int                named_at;
} picture;

static inline double x_of(const picture *p, uint32_t at)
{
    return AXIS_LEFT + (double)at * (AXIS_END - AXIS_LEFT) / p->total;
}

static inline double y_of(const picture *p, int track) { return TOP + (track - 1) * p->row; }
static inline bool has_words(const picture *p) { return p->row >= 18; }

void write_within(picture *p, const char *s, double width, double letter);      /* as much of s as fits */
void write_ms(buffer *b, uint32_t us);
void draw_axis(picture *p, double bottom);
void draw_series(picture *p, const char *name, double top);  /* a value, as a line of steps, PLOT high */

#endif
