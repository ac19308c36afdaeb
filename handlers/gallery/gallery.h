/* gallery.h - every pattern of patterns/, run and recorded when a client asks for it.
 *
 *     recording r;
 *     err = gallery_run(gallery_find(TEXT("race")), req, &r);
 *     if (err)
 *         return err;
 *     write_timeline(&b, &r); */
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
extern const char *const GROUP_TITLES[GROUPS];

const pattern *gallery_find(text name);      /* NULL if there is none */
const char    *gallery_refusal(const pattern *p);            /* why it does not run here; NULL: it does */

/* Runs p for req, and fills *r in. REFUSED_PATTERNS when as many run as may. How the pattern itself
 * ended is r->outcome. */
async int gallery_run(const pattern *p, request *req, recording *r);

const char *outcome_word(int outcome);       /* for people; "" for 0 */

void write_timeline(buffer *b, const recording *r);          /* a picture of it: SVG, within HTML */
void write_recording(buffer *b, const recording *r);         /* all of it, as JSON */
void write_source(buffer *b, const pattern *p);              /* the lines that are shown, numbered as in their file */

#endif
