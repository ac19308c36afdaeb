/* recording_svg.h - the same as recording.h's trace, as a picture: an SVG that any browser opens, by itself and without scripts.
 *
 *     loop 4711   how busy it was        _.,|||.__.|||||.
 *                 requests    |====query====--|      |==|
 *                               |=======job=====|
 *
 * For each loop, or for all threads of threads mode: how busy its tasks kept it, and below that its requests, one behind the
 * other in as many rows as it takes, each with its queries, jobs and waits in it. What a mouse rests on says what it is.
 *
 *   Bounds.  The longest requests are drawn, and as many of their parts as there is room for: the picture says how many were left
 *            out. It has a MiB at most for each recorder, of which there are sixteen at most. */
#ifndef INSPECT_RECORDING_SVG_H
#define INSPECT_RECORDING_SVG_H

#include "target.h"

#include <stdio.h>

/* 0; or an error, and why: there is nothing to read, or out takes no more. */
int recording_write_svg(target *t, FILE *out, char *why, size_t size);

#endif
