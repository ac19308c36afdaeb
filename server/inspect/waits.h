/* waits.h - what tasks and requests await, and all that that waits for: added to a snapshot. */
#ifndef INSPECT_WAITS_H
#define INSPECT_WAITS_H

#include "address_map.h"
#include "seen.h"

typedef struct waits waits;

waits *waits_new(snapshot *s, const address_map *tasks);     /* tasks: their numbers in s, by their addresses */
void   waits_free(waits *w);
int    waits_add(waits *w, uint64_t promise);        /* its number among waits; it is still to be read. -1: there is none */
void   waits_read(waits *w);                         /* all that was added, and its parts, and theirs */

#endif
