/* jobs.c - see jobs.h. */
#include "jobs.h"
#include "server/base/memory.h"

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

/* Of address space alone, which its bound counts as well: the machine need not have that memory. The sanitizers' bound
 * counts only what is written to, and so there it soon gives up. Each piece leads to the one before it, so that a
 * sanitizer, when this process ends, has no lost memory to tell of. */
static int job_leak(text in, buffer *out)
{
    static void **taken;
    const int most = RESERVE_NOTHING ? 16 : 1 << 20;
    (void)in;
    (void)out;
    for (int i = 0; i < most; i++) {
        void **more = mem_alloc(1 << 20);
        *more = taken;
        taken = more;
    }
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
                  JOB_LEAK  = { "leak", job_leak },
                  JOB_SPIN  = { "spin", job_spin };

const process_job *const JOBS[] = { &JOB_PAGE, &JOB_CRASH, &JOB_LEAK, &JOB_SPIN, &JOB_SHOUT, &JOB_PRIMES };
const int JOB_COUNT = sizeof JOBS / sizeof JOBS[0];
