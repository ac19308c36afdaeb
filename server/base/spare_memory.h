/* spare_memory.h - memory set aside for the day when the system gives no more.
 *
 * An allocation that fails takes of it and goes on; from then on, until it can be set aside again, the server is
 * short of memory, and should begin nothing new. It is address space only, and costs none of the machine's memory.
 *
 *   Threads.  For any thread, but spare_memory_set_aside, which comes first. */
#ifndef SPARE_MEMORY_H
#define SPARE_MEMORY_H

#include <stdbool.h>

void spare_memory_set_aside(void);           /* once; without it there is none, and nobody is ever short */
bool spare_memory_release(void);             /* gives a part of it to the system; false: there is none left */
bool spare_memory_is_short(void);            /* was some of it needed, and cannot be had back just now? */

#endif
