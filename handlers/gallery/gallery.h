/* gallery.h - every pattern of patterns/, run and recorded when a client asks for it.
 *
 *     recording r;
 *     err = gallery_run(gallery_find(TEXT("race")), req, &r);
 *     if (err)
 *         return err;
 *     recording_draw(&b, &r); */
#ifndef GALLERY_H
#define GALLERY_H

#include "handlers/gallery/patterns/pattern.h"
#include "server/base/buffer.h"

typedef struct recording {                   /* what a run was; its trace ends with the request */
    const pattern *pattern;
    run            run;
    trace         *trace;                    /* stopped */
    int            outcome;
} recording;

extern const pattern *const PATTERNS[];      /* in the order of their groups */
extern const int PATTERN_COUNT;
extern const char *const GROUP_TITLES[GROUP_COUNT];

const pattern *gallery_find(text name);      /* NULL if there is none */
const char    *gallery_refusal(const pattern *p);            /* why it does not run here; NULL: it does */

/* Runs p for req, and fills *r in. REFUSED_PATTERNS when as many run as may. How the pattern itself
 * ended is r->outcome. */
async int gallery_run(const pattern *p, request *req, recording *r);

const char *gallery_outcome_word(int outcome);       /* for people; "" for 0 */

void recording_draw(buffer *b, const recording *r);          /* its timeline: SVG, within HTML (timeline.c) */
void recording_write_json(buffer *b, const recording *r);    /* all of it (gallery_json.c) */
void pattern_write_source(buffer *b, const pattern *p);      /* the lines that are shown, numbered as in their file */

#endif
