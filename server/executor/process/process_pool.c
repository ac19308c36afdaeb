/* process_pool.c - see process_pool.h: from a call to the pool of the loop, or of the blocking threads. */
#include "process_pool.h"
#include "pool_internal.h"
#include "process.h"
#include "server/async/loop.h"
#include "worker.h"

#include <assert.h>
#include <string.h>
#include <uv.h>

process_pool_options process_pool_here = {
    .workers = 1, .waiting = 64, .jobs = 1000, .memory = 256 << 20, .timeout_ms = 10000,
};

static struct { const process_job *const *jobs; int count; } table;

void process_pool_begin(int argc, char *argv[], const process_job *const jobs[], int count)
{
    table.jobs = jobs;
    table.count = count;
    if (argc == 3 && strcmp(argv[1], PROCESS_ARGUMENT) == 0)
        worker_run(argv[2], jobs, count);
    loop_pool_begin();
    blocking_pool_open();
}

void process_pool_configure(const process_pool_options *options)
{
    blocking_pool_close();
    process_pool_here = *options;
    blocking_pool_open();
}

promise *in_process(const process_job *job, text in, uint64_t ms, arena *a, text *out)
{
    int number = 0;
    while (number < table.count && table.jobs[number] != job)
        number++;
    assert(number < table.count && "a job must be among those that process_pool_begin was given");

    const process_call c = { number, job->name, in, ms ? ms : process_pool_here.timeout_ms, a, out };
    if (in.length > PROCESS_LARGEST)
        return promise_settled(UV_EMSGSIZE);
    return loop_here() ? loop_pool_call(&c) : promise_settled(blocking_pool_call(&c));
}

promise *process_pool_close(void) { return loop_here() ? loop_pool_close() : promise_settled(0); }
void     process_pool_end(void)   { blocking_pool_close(); }

process_pool_counts process_pool_count(void)
{
    const struct process_tally *t = &process_tally;
    return (process_pool_counts){ t->workers, t->running, t->waiting, t->done, t->refused, t->killed, t->started, t->died };
}
