/* worker.h - what a worker process does, from its start to its end; see process_pool.h. */
#ifndef PROCESS_WORKER_H
#define PROCESS_WORKER_H

#include "process_pool.h"

#include <stdnoreturn.h>

/* memory: how many bytes it may take, in decimal. */
noreturn void process_work(const char *memory, const process_job *const jobs[], int count);

#endif
