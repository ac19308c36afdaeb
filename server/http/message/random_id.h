/* random_id.h - random bytes for what must be unlike all others, such as ids: the kernel's, taken many at a time.
 *
 * They are of the kernel's generator, but lie in this process's memory before they are used: not for keys.
 *
 *   Threads.  For any thread; each has a stock of its own. A process that was forked has the same stock as the first. */
#ifndef HTTP_RANDOM_ID_H
#define HTTP_RANDOM_ID_H

#include <stddef.h>
#include <stdint.h>

void     random_hex(char *to, size_t digits);        /* so many, an even number, in lower case; not terminated */
uint64_t random_number(void);                /* any of 64 bits */

#endif
