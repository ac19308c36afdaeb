/* exposition.h - metrics as Prometheus reads them: its text format, version 0.0.4.
 *
 *     exposition_begin(&e, &(metric){ "jobs_total", "counter", "Jobs that have ended." });
 *     exposition_number(&e, exposition_labels(&e, "lane", "cpu", NULL), 812);
 *
 *     # HELP jobs_total Jobs that have ended.
 *     # TYPE jobs_total counter
 *     jobs_total{lane="cpu"} 812
 *
 *   Units.      Those of Prometheus: seconds, bytes. What is given in nanoseconds becomes seconds.
 *   Source.     https://prometheus.io/docs/instrumenting/exposition_formats/ */
#ifndef EXPOSITION_H
#define EXPOSITION_H

#include "durations.h"
#include "server/base/buffer.h"

#define EXPOSITION_TYPE "text/plain; version=0.0.4; charset=utf-8"

typedef struct metric { const char *name, *type, *help; } metric;   /* type: counter, gauge or histogram */

typedef struct exposition {
    buffer        text;                      /* all that has been written */
    const metric *is;                        /* of which the next samples are */
} exposition;

void exposition_init(exposition *e, arena *a);
void exposition_begin(exposition *e, const metric *m);       /* m must stay until the next one begins */

/* Keys and values in turn, up to a NULL; a value may be any text. Lives as long as the arena. */
text exposition_labels(exposition *e, const char *key, ...) __attribute__((sentinel));

/* A sample each; labels may be "". */
void exposition_number(exposition *e, text labels, uint64_t n);
void exposition_seconds(exposition *e, text labels, uint64_t ns);
void exposition_durations(exposition *e, text labels, const duration_sums *d);       /* of a histogram: all of its lines */

/* A histogram with bounds of its own: buckets count what is at most bounds[i] seconds, as written there, each without those
 * before; the last bound is "+Inf". sum is nanoseconds. */
void exposition_histogram(exposition *e, text labels, const char *const bounds[], const uint64_t counts[], int buckets,
                          uint64_t sum);

#endif
