/* machine.h - how much of the machine this process may use. */
#ifndef MACHINE_H
#define MACHINE_H

/* Processors this process may run on: by its affinity, and by the quota of its cgroups (v2), rounded
 * up. At least 1. */
int machine_processors(void);

/* The processors that the text of a cpu.max file grants, rounded up; 0 for no limit. */
int machine_quota(const char *cpu_max);

int machine_open_files(void);                /* how many this process may have open, now */

/* Raises that number to the most that is allowed. Before config_load, if the server is to use it. */
void machine_raise_open_files(void);

#endif
