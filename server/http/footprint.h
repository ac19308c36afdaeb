/* footprint.h - what the two ways to serve take of the machine, each by itself, for who compares them.
 *
 *   Threads.  For any; where a way does not serve, there is nothing of it. */
#ifndef HTTP_FOOTPRINT_H
#define HTTP_FOOTPRINT_H

#include <stddef.h>
#include <stdint.h>

/* Nanoseconds of processor time of all loops' threads since they began. */
uint64_t footprint_loops_cpu(void);

/* The threads that have a client; *stacks: bytes of their stacks that are in memory, by mincore(2). Of thousands it looks at
 * some hundreds, evenly, and takes them for all. */
int footprint_threads(size_t *stacks);

#endif
