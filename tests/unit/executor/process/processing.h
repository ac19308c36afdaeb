/* processing.h - a loop with worker processes in the test's own thread, which do the jobs of process_jobs.h. */
#ifndef PROCESSING_H
#define PROCESSING_H

#include "process_jobs.h"
#include "server/executor/process/process.h"
#include "server/executor/process/process_pool.h"

#include <sys/types.h>

extern process_pool_options processing_options; /* one worker, four may wait: change them before processing_begin */
extern arena                processing_arena;  /* where the outputs are */
extern text                 processing_out;    /* the last one */
extern int                  processing_errs[8];

void processing_begin(void);
void processing_stop(void);                  /* ends all; there must be no zombie and no orphan */

int   processing_run(const process_job *job, text in);       /* runs the loop until it has ended: its outcome */
pid_t processing_worker(void);               /* who does the next job */

/* Starts a job; processing_errs[i] becomes its outcome, and is 1 until then. */
promise *processing_start(int i, const process_job *job, uint64_t ms);
void     processing_until_settled(int i);
void     processing_until(_Atomic uint64_t *count, uint64_t is);

#endif
