/* jobs.h - everything that this site does in worker processes (server/executor/process/process_pool.h). */
#ifndef JOBS_H
#define JOBS_H

#include "server/executor/process/process_pool.h"

/* Beside JOB_PAGE (page_html.h), what such a process is there for. They need no input, and never answer. */
extern const process_job JOB_CRASH,          /* dies */
                         JOB_SPIN;           /* computes for ever */
extern const process_job JOB_SHOUT;          /* of a pattern: answers with what it is given, in capitals */

extern const process_job *const JOBS[];
extern const int                JOB_COUNT;

#endif
