/* process_figures.h - what this process has of the machine, for GET /metrics. */
#ifndef PROCESS_FIGURES_H
#define PROCESS_FIGURES_H

#include "handlers/compare/account.h"

typedef struct process_figures {
    account  taken;
    uint64_t virtual_memory;                 /* bytes */
    uint64_t open_files;
    double   started;                        /* seconds since 1970 */
} process_figures;

/* Takes as long as there are many descriptors: not for a loop. What the kernel does not tell is 0. */
process_figures process_figures_take(void);

#endif
