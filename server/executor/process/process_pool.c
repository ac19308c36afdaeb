/* process_pool.c - see process_pool.h: what there is once for all pools. */
#include "server/async/loop.h"
#include "worker.h"
#include "pool_internal.h"
#include "server/base/log.h"

#include <assert.h>
#include <string.h>
#include <uv.h>

process_pool_options processes_here = {
    .workers = 1, .line = 64, .jobs = 1000, .memory = 256 << 20, .timeout_ms = 10000,
};
struct processes_tally processes_tally;

static struct { const process_job *const *jobs; int count; } table;

void process_pool_begin(int argc, char *argv[], const process_job *const jobs[], int count)
{
    table.jobs = jobs;
    table.count = count;
    if (argc == 3 && strcmp(argv[1], PROCESS_ARGUMENT) == 0)
        process_work(argv[2], jobs, count);
    processes_on_loop_begin();
    processes_in_plain_open();
}

void process_pool_configure(const process_pool_options *options)
{
    processes_in_plain_close();
    processes_here = *options;
    processes_in_plain_open();
}

static int number_of(const process_job *job)
{
    int i = 0;
    while (i < table.count && table.jobs[i] != job)
        i++;
    assert(i < table.count && "a job must be among those that process_pool_begin was given");
    return i;
}

promise *in_process(const process_job *job, text in, uint64_t ms, arena *a, text *out)
{
    const process_task t = { number_of(job), job->name, in, ms ? ms : processes_here.timeout_ms, a, out };
    if (in.length > PROCESS_LARGEST)
        return promise_settled(UV_EMSGSIZE);
    return loop_here() ? processes_on_loop(&t) : promise_settled(processes_in_plain(&t));
}

promise *process_pool_close(void) { return loop_here() ? processes_on_loop_close() : promise_settled(0); }
void     process_pool_end(void)   { processes_in_plain_close(); }

process_pool_counts process_pool_count(void)
{
    const struct processes_tally *t = &processes_tally;
    return (process_pool_counts){ t->workers, t->running, t->waiting, t->done, t->refused, t->killed, t->started, t->died };
}

/* Workers. */

uint64_t worker_rest(unsigned failures)
{
    const uint64_t ms = (uint64_t)WORKER_REST << (failures < 16 ? failures - 1 : 15);
    return ms < WORKER_LONGEST_REST ? ms : WORKER_LONGEST_REST;
}

int worker_start(process *p)
{
    const int err = process_start(p, processes_here.memory);
    if (!err) {
        processes_tally.workers++;
        processes_tally.started++;
    }
    return err;
}

void worker_end(process *p, int grace_ms, const char *died_of)
{
    char how[64];
    const pid_t pid = p->pid;
    if (!pid)
        return;
    process_explain(process_end(p, grace_ms), how, sizeof how);
    processes_tally.workers--;
    if (!died_of)
        return;
    processes_tally.died++;
    log_warning("worker process %d %s%s%s", (int)pid, how, *died_of ? " while it did " : "", died_of);
}

const char *worker_judge(const process *p, int err, const char *job)
{
    if (err != UV_EPROTO)
        return job;
    processes_tally.died++;
    log_warning("worker process %d is killed: it wrote what is no answer%s%s", (int)p->pid, *job ? " to " : "", job);
    return NULL;
}

void worker_late(const process *p, const char *job)
{
    log_info("worker process %d is killed: %s takes too long", (int)p->pid, job);
}

void worker_failed(int err)
{
    char why[64];
    log_error("a worker process cannot be started: %s", err == UV_ETIMEDOUT ? "it does nothing" :
              err == UV_EOF ? "it ends at once" : uv_strerror_r(err, why, sizeof why));
}
