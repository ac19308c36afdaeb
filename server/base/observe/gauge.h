/* gauge.h - numbers that are worth a look while the program runs: how many wait in a queue, for one.
 *
 * A gauge only says where a number is, which its owner keeps anyway; who looks is another process (layout.h), so it costs
 * nothing.
 *
 *   Ownership.  It is part of what owns the number, and stays where it is from gauge_add to gauge_remove. The name is static.
 *   Threads.    For any thread; a gauge belongs to the one that adds it. */
#ifndef GAUGE_H
#define GAUGE_H

#include "server/base/list.h"

#include <sys/types.h>

typedef struct gauge {
    list_node   node;
    const char *name;
    const void *value;                       /* of an int, or an atomic one */
    pid_t       thread;                      /* the kernel's number of it */
} gauge;

void gauge_add(gauge *g, const char *name, const void *value);
void gauge_remove(gauge *g);                 /* no-op for one that was never added: {0} */

#endif
