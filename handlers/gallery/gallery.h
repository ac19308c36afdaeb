/* gallery.h - every pattern of patterns/, run and recorded when a client asks for it.
 *
 *     recording r;
 *     err = gallery_run(gallery_find(TEXT("race")), 0, req, &r);
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
    trace         *trace;                    /* stopped; NULL if it has twins */
    int            outcome;
    struct recording *twins;                 /* of a pitfall: two, and nothing else; NULL of others */
} recording;

extern const pattern *const PATTERNS[];      /* in the order of their groups */
extern const int PATTERN_COUNT;
extern const char *const GROUP_TITLES[GROUP_COUNT];

void           gallery_configure(uint64_t timeout_ms);       /* before it serves: how long one may run on a loop */
const pattern *gallery_find(text name);      /* NULL if there is none */
const char    *gallery_refusal(const pattern *p);            /* why it does not run here; NULL: it does */

/* Runs p for req, with that one of its choices, and fills *r in. REFUSED_PATTERNS when as many run as may. How the
 * pattern itself ended is r->outcome. */
async int gallery_run(const pattern *p, int chosen, request *req, recording *r);

const char *gallery_outcome_word(int outcome);       /* for people; "" for 0 */
const char *gallery_time(char to[32], uint32_t us);  /* for people: "203.4 ms" (timeline/axis.c) */

/* gallery_choices.c: what the request has chosen for p, 0 or an error: it is none of p's; a field of a form for it; and
 * what there is to choose, as members of a JSON object, each with a comma before it. */
int  choices_read(const pattern *p, request *req, int *chosen);
void choices_write_field(buffer *b, const pattern *p, int chosen);
void choices_write_json(buffer *b, const pattern *p);
void choices_write_chosen_json(buffer *b, const pattern *p, int chosen);
int  choices_respond_unknown(const pattern *p, request *req);        /* what a handler returns then */

enum { MARKS = 60 };                         /* as many are drawn and listed */

void recording_draw(buffer *b, const recording *r);          /* its timeline: SVG, within HTML (timeline/) */
void result_write(buffer *b, const recording *r);            /* that, its figures, marks and events: HTML (gallery_result.c) */
void recording_write_json(buffer *b, const recording *r);    /* all of it (gallery_json.c) */
void pattern_write_source(buffer *b, const pattern *p);      /* the lines that are shown, numbered as in their file */

#endif
