/* top.h - a running tenk on a terminal, looked at each second: its loops and how late they are, its CPU, and what has run or
 * waited for longest. */
#ifndef INSPECT_TOP_H
#define INSPECT_TOP_H

#include "target.h"

#include <stdio.h>

/* Until the target is gone, or out is, or a signal ends the process; once: one look, after a quarter of a second. 0, or an
 * error and why, of the first look. */
int top_run(target *t, bool once, FILE *out, char *why, size_t size);

#endif
