/* report.h - a snapshot, for people and for programs. */
#ifndef INSPECT_REPORT_H
#define INSPECT_REPORT_H

#include "seen.h"

#include <stdio.h>

void report_text(const snapshot *s, FILE *out);      /* a line for each task, the oldest first */
void report_tree(const snapshot *s, FILE *out);      /* below each task what it awaits, and so on */
int  report_json(const snapshot *s, FILE *out);      /* 0, or UV_EIO */

void report_head(const snapshot *s, FILE *out);      /* the process, its loops, what waits */

/* The n oldest of all that runs or waits, be it a task, a request or a thread. */
void report_oldest(const snapshot *s, int n, FILE *out);

#endif
