/* machine.h - how much of the machine this process may use. */
#ifndef MACHINE_H
#define MACHINE_H

#include <stdint.h>

void machine_open_standard_files(void);      /* those of descriptors 0 to 2 that are closed become /dev/null */

/* Processors this process may run on: by its affinity, and by the quota of its cgroups, of either
 * version, rounded up. At least 1. */
int machine_processors(void);

/* The processors that the text of a cpu.max file grants, a quota and a period, rounded up; 0 for no limit. */
int machine_quota(const char *cpu_max);

/* How many threads more this process could start, each with so many bytes of memory, of which it touches some:
 * by its limits of processes, address space and data, by its cgroups' of tasks and memory, and by how many
 * mappings the kernel grants a process. INT_MAX for no limit. */
int machine_threads(uint64_t size, uint64_t touched);

/* Bytes of memory that this process may still map: by its limits of address space and data; UINT64_MAX for no limit. */
uint64_t machine_memory_left(void);

int machine_open_files(void);                /* how many this process may have open, now */
int machine_files_in_use(void);              /* how many it has; takes as long as they are many */

/* Raises that number to the most that is allowed. Before config_load, if the server is to use it. */
void machine_raise_open_files(void);

#endif
