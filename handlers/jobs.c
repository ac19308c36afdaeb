/* jobs.c - see jobs.h. */
#include "jobs.h"

#include <signal.h>
#include <stdbool.h>

/* As a wild pointer would, but so that no sanitizer tells of it. */
static int job_crash(text in, buffer *out)
{
    (void)in;
    (void)out;
    signal(SIGSEGV, SIG_DFL);
    raise(SIGSEGV);
    return 0;
}

static int job_spin(text in, buffer *out)
{
    volatile bool done = false;
    (void)in;
    (void)out;
    while (!done)
        ;
    return 0;
}

const process_job JOB_CRASH = { "crash", job_crash },
                  JOB_SPIN  = { "spin", job_spin };

const process_job *const JOBS[] = { &JOB_PAGE, &JOB_CRASH, &JOB_SPIN, &JOB_SHOUT };
const int JOB_COUNT = sizeof JOBS / sizeof JOBS[0];
