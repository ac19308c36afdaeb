/* stalls.h - where the loops of another tenk were blocked since it started (server/diagnose/stall_table.h), as folded stacks: a
 * line for each, from the label over the outermost function to the innermost, with semicolons between, and then how many
 * milliseconds it took in all. That is what flamegraph.pl, inferno and speedscope read. */
#ifndef INSPECT_STALLS_H
#define INSPECT_STALLS_H

#include "target.h"

#include <stdio.h>

int stalls_write(target *t, FILE *out, char *why, size_t size);      /* 0, or an error, and why */

#endif
