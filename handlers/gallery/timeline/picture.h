/* picture.h - what the parts of a timeline share. One picture has a half for each recording that it is of: one, or two of a
 * pitfall, one below the other on one axis. Time goes to the right, and lies by per cent of the width: so a picture fits any
 * screen, and its letters keep their size. In each half, downwards:
 *
 *     title                                         where there are two
 *     the user                                      a lane: what it is, and how it ended if not well
 *     ##.. query(...) ....##                        it ran # and waited .; a tick where it woke
 *     fetch x 100                                   a lane that is folded: many tracks of one name, as thin lines;
 *     .........##                                   or, of very many, how many of them wait
 *       ......##
 *     in the queue: at most 8                       a plot of what has a value
 *     GET /healthz: at most 203.1 ms                a plot of what took long: as wide, and as tall as that
 *
 * Colours are the style sheet's, by class, so that the picture is light or dark as its page is. */
#ifndef GALLERY_PICTURE_H
#define GALLERY_PICTURE_H

#include "handlers/gallery/gallery.h"

typedef struct shown {                       /* a track */
    const char *name;
    uint32_t    begun, ended;
    uint16_t    line;                        /* in which it was begun; 0: not known */
    bool        task;
    int         outcome, wakes;
    int         lane, place;                 /* place: among the lane's tracks; lane -1: not drawn */
} shown;

typedef struct lane {
    const char *name;
    bool        task;
    int         tracks, failed;              /* failed: how many ended otherwise than well */
    struct { uint16_t line; const char *words; } waits[2];   /* of a folded one: the first two awaits; drawn in two shades */
    double      y, height;                   /* of its bars; its name is above them */
} lane;

typedef enum plot_kind { PLOT_VALUE, PLOT_TOOK } plot_kind;

typedef struct plotted {
    const char *name;
    plot_kind   kind;
    int32_t     most;                        /* for TOOK: of both halves */
    double      y;                           /* of its name */
} plotted;

enum { PLOTS = 6, LANES = 40, FOLD_FROM = 15 /* tracks in all */, THIN_LINES = 128 /* of a lane, at most */ };

typedef struct half {
    const recording   *of;
    const trace_event *events;
    int                count;
    uint32_t           took;                 /* microseconds */
    shown             *tracks;               /* the run as a whole is the first, and has no lane */
    int                track_count;
    lane               lanes[LANES];
    int                lane_count, left_out; /* left_out: tracks for which there was no lane */
    plotted            plots[PLOTS];
    int                plot_count;
    double             y;                    /* of its title */
} half;

/* What occurs in the picture, for its legend. */
typedef enum occurs {
    OCCURS_RUNS = 1, OCCURS_WAITS = 2, OCCURS_WAKES = 4, OCCURS_WORKS = 8, OCCURS_MARK = 16, OCCURS_BAD = 32, OCCURS_TOOK = 64,
} occurs;

typedef struct picture {
    buffer  *b;
    half     halves[2];
    int      half_count;
    uint32_t total;                          /* microseconds, of the longer half */
    double   height;                         /* pixels */
    unsigned occurs;
} picture;

/* lanes.c: reads the events, and says where everything is. */
void picture_read(picture *p, const recording *r);           /* with two halves, if it has twins */

/* axis.c: where a time is, in per cent of the width. */
double axis_at(const picture *p, uint32_t us);
void   axis_draw(const picture *p);

/* spans.c: the lanes, and the marks on them. */
void spans_draw(picture *p, half *h);
void marks_draw(picture *p, const half *h);

/* plots.c */
void plots_draw(picture *p, const half *h);
void crowd_draw(picture *p, const half *h, int lane);        /* a lane of more tracks than there can be lines */

/* order.c: marks one below the other, where the order is what counts. */
void order_draw(buffer *b, const recording *r);

#endif
