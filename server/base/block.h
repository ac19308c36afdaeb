/* block.h - memory in sizes of powers of two, 128 bytes to 1 MiB, of which each thread keeps used ones: see reserve.h.
 *
 * For what is large or lives in bulk: rooms of arenas, bytes on their way out. A larger one is allocated
 * and freed each time.
 *
 *   Threads.  A block may be put by another thread than the one that got it. */
#ifndef BLOCK_H
#define BLOCK_H

#include <stddef.h>

enum { BLOCK_SMALLEST = 128, BLOCK_LARGEST = 1024 * 1024 };

/* At least so many bytes, aligned for anything and not zeroed; *size is how many there are, all of them
 * the caller's. Under the sanitizers and valgrind there are no more than were asked for. */
void *block_get(size_t least, size_t *size);
void  block_put(void *block, size_t size);   /* that *size */
void  block_trim(void);                      /* a thread about to exit gives back what it kept for reuse */

#endif
