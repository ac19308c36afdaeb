/* memory_use.h - how much memory something takes, as the kernel counts it.
 *
 *     bytes = memory_resident(stack->base, stack->size);
 *     grown = memory_of_process("VmPTE") - before;
 *
 * A region is counted by itself, so that it does not matter what else the process does meanwhile, nor what
 * it kept from before. */
#ifndef MEMORY_USE_H
#define MEMORY_USE_H

#include <stddef.h>
#include <stdint.h>

/* Bytes of that region that are in memory, in whole pages; 0 where the kernel does not tell. */
size_t memory_resident(const void *from, size_t size);

/* KiB, as a line of /proc says: of /proc/self/status, and of /proc/meminfo, which is of the whole machine. 0 if there is
 * no such line. */
int64_t memory_of_process(const char *line);
int64_t memory_of_machine(const char *line);

#endif
