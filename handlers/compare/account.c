/* account.c - see account.h. */
#include "account.h"
#include "server/async/context/stack.h"
#include "server/http/footprint.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

static uint64_t clock_now(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

uint64_t account_thread_cpu(void) { return clock_now(CLOCK_THREAD_CPUTIME_ID); }

static size_t account_resident(void)
{
    size_t pages = 0;
    FILE *f = fopen("/proc/self/statm", "re");
    if (f && fscanf(f, "%*u %zu", &pages) != 1)
        pages = 0;
    if (f)
        fclose(f);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

/* user, nice, system, (idle, iowait), irq, softirq, steal: proc_stat(5). */
static uint64_t account_busy(void)
{
    unsigned long long t[8] = { 0 };
    FILE *f = fopen("/proc/stat", "re");
    if (f && fscanf(f, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &t[0], &t[1], &t[2], &t[3], &t[4], &t[5], &t[6], &t[7]) < 4)
        t[0] = t[1] = t[2] = 0;
    if (f)
        fclose(f);
    return (t[0] + t[1] + t[2] + t[5] + t[6] + t[7]) * (1000000000 / (unsigned long long)sysconf(_SC_CLK_TCK));
}

account account_take(void)
{
    account a = { .cpu_all = clock_now(CLOCK_PROCESS_CPUTIME_ID), .cpu_loops = footprint_loops_cpu(), .busy = account_busy() };
    a.resident = account_resident();
    a.task_stacks = stacks_resident();
    a.client_threads = footprint_threads(&a.thread_stacks);
    return a;
}
