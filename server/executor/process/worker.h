/* worker.h - what a worker process does, from its start to its end; see process_pool.h. */
#ifndef WORKER_H
#define WORKER_H

#include "job.h"

#include <stdnoreturn.h>

/* memory: how many bytes it may take, in decimal. */
noreturn void worker_run(const char *memory, const process_job *const jobs[], int count);

#endif
