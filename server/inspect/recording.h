/* recording.h - what the flight recorders of another tenk hold (recorder.h), as a trace that ui.perfetto.dev and
 * chrome://tracing open: the Trace Event Format, in JSON.
 *
 *   A row for each thread that has a recorder: when its tasks ran, and what settled.
 *   Below it, each as long as it took: requests, queries, jobs of the pool, and turns of the loop of a millisecond or more.
 *   What still goes on now is in it, too, as long as it has by now: tasks, with what they await. */
#ifndef INSPECT_RECORDING_H
#define INSPECT_RECORDING_H

#include "target.h"

#include <stdio.h>

/* 0; or an error, and why: there is nothing to read, or out takes no more. */
int recording_write(target *t, FILE *out, char *why, size_t size);

#endif
