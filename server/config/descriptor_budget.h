/* descriptor_budget.h - how the files that the process may have open are shared out. */
#ifndef DESCRIPTOR_BUDGET_H
#define DESCRIPTOR_BUDGET_H

#include "config.h"

/* What is left for the connections of each worker when the databases, the loops and the log have theirs; where that is
 * little, they get half, and requests to other servers, and worker processes, the other. Where both modes serve from the
 * start, each has half of it. At least 1. */
int descriptor_budget_connections(const config *c);

/* 0, or UV_EMFILE after saying in why that there are too few to serve with, and how many it takes. */
int descriptor_budget_check(const config *c, char *why, size_t size);

#endif
