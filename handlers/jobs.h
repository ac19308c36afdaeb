/* jobs.h - everything that this site does in worker processes (server/executor/process/process_pool.h). */
#ifndef JOBS_H
#define JOBS_H

#include "server/executor/process/process_pool.h"

extern const process_job JOB_PAGE;           /* a user's page, of rows that page_html_pack has packed */

/* Of the gallery. The first three need no input, and never answer. */
extern const process_job JOB_CRASH,          /* dies */
                         JOB_LEAK,           /* takes memory until it gets no more, and dies of that */
                         JOB_SPIN;           /* computes for ever */
extern const process_job JOB_SHOUT,          /* answers with what it is given, in capitals */
                         JOB_PRIMES;         /* how many there are: of and with a struct of its own */

extern const process_job *const JOBS[];
extern const int                JOB_COUNT;

#endif
