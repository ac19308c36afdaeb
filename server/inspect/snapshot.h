/* snapshot.h - what another tenk was doing at a moment: loops, tasks, what each awaits, requests, threads, queues.
 *
 * It is read while that goes on (target.h), so of things that change meanwhile the one may be newer than the other. Lists are
 * walked with a look at the way back: one that was changed under the reader's eyes is begun anew, some times; then what was
 * found is given, and said to be a part.
 */
#ifndef INSPECT_SNAPSHOT_H
#define INSPECT_SNAPSHOT_H

#include "seen.h"

/* 0, or a negative error and why: the target is gone, or lays things out in a way that is not understood. */
int  snapshot_take(snapshot *s, target *t, char *why, size_t size);
void snapshot_free(snapshot *s);

#endif
