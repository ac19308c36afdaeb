/* metrics_work.c - of /metrics: work off the loop: executors, worker processes, rendering, and requests to other servers. */
#include "metrics.h"
#include "handlers/workloads.h"
#include "server/executor/executor.h"
#include "server/executor/process/process_pool.h"

static text executor_labels(metrics_page *p, const executor_counts *c)
{
    return exposition_labels(&p->e, "executor", c->name, NULL);
}

#define EXECUTORS(function, member)                                                                 \
    static void function(metrics_page *p)                                                           \
    {                                                                                               \
        executor_counts counts[MAX_EXECUTORS];                                                      \
        const int n = executor_count_all(counts);                                                   \
        for (int i = 0; i < n; i++)                                                                 \
            exposition_number(&p->e, executor_labels(p, &counts[i]), (uint64_t)counts[i].member);   \
    }

EXECUTORS(write_running, running)
EXECUTORS(write_queue, waiting)
EXECUTORS(write_done, done)
EXECUTORS(write_refused, refused)

static void names_write(metrics_page *p, shard_kind kind, const char *key, bool waited)
{
    const name_sums *names;
    const int count = metrics_names(p, kind, &names);
    for (int i = 0; i < count; i++)
        exposition_durations(&p->e, exposition_labels(&p->e, key, names[i].name, NULL),
                             waited ? &names[i].waited : &names[i].took);
}

static void write_job_wait(metrics_page *p) { names_write(p, SHARD_JOB, "executor", true); }
static void write_job_took(metrics_page *p) { names_write(p, SHARD_JOB, "executor", false); }

#define PROCESSES(function, member) \
    static void function(metrics_page *p) { exposition_number(&p->e, TEXT(""), (uint64_t)process_pool_count().member); }

PROCESSES(write_workers, workers)
PROCESSES(write_jobs_running, running)
PROCESSES(write_jobs_waiting, waiting)
PROCESSES(write_jobs_done, done)
PROCESSES(write_jobs_refused, refused)
PROCESSES(write_jobs_killed, killed)
PROCESSES(write_workers_started, started)
PROCESSES(write_workers_died, died)

static void write_rendered(metrics_page *p)
{
    for (int i = 0; i < WORKLOAD_COUNT; i++) {
        const workload *const w = WORKLOADS[i];
        exposition_number(&p->e, exposition_labels(&p->e, "workload", w->name, "place", "loop", NULL), w->on_loop);
        exposition_number(&p->e, exposition_labels(&p->e, "workload", w->name, "place", "pool", NULL), w->off_loop);
    }
}

static void write_outgoing(metrics_page *p)
{
    const name_sums *names;
    const int count = metrics_names(p, SHARD_OUTGOING, &names);
    for (int i = 0; i < count; i++)
        exposition_number(&p->e, exposition_labels(&p->e, "outcome", names[i].name, NULL), names[i].waited.count);
}

static void write_outgoing_took(metrics_page *p) { names_write(p, SHARD_OUTGOING, "outcome", false); }

const metric_family METRICS_OF_WORK[] = {
    { { "executor_tasks_running", "gauge", "Jobs that run on the thread pool." }, write_running },
    { { "executor_queue_length", "gauge", "Jobs that wait for it." }, write_queue },
    { { "executor_tasks_total", "counter", "Jobs that have ended." }, write_done },
    { { "executor_tasks_refused_total", "counter", "Jobs that were refused, since too many waited, or for too long." },
      write_refused },
    { { "executor_queue_wait_seconds", "histogram", "How long jobs waited." }, write_job_wait },
    { { "executor_task_duration_seconds", "histogram", "How long they ran." }, write_job_took },
    { { "worker_processes", "gauge", "Worker processes." }, write_workers },
    { { "worker_process_jobs_running", "gauge", "Jobs that they run." }, write_jobs_running },
    { { "worker_process_jobs_waiting", "gauge", "Jobs that wait for one." }, write_jobs_waiting },
    { { "worker_process_jobs_total", "counter", "Jobs that have ended." }, write_jobs_done },
    { { "worker_process_jobs_refused_total", "counter", "Jobs that were refused." }, write_jobs_refused },
    { { "worker_process_jobs_killed_total", "counter", "Jobs whose process was killed: too slow, or no longer wanted." },
      write_jobs_killed },
    { { "worker_processes_started_total", "counter", "Worker processes since the start." }, write_workers_started },
    { { "worker_processes_died_total", "counter", "The part of them that died by themselves." }, write_workers_died },
    { { "rendering_runs_total", "counter", "Pages that were rendered, by what they are, and where." }, write_rendered },
    { { "http_client_requests_total", "counter", "Requests to other servers that have ended, by how." }, write_outgoing },
    { { "http_client_request_duration_seconds", "histogram", "How long they took, without their wait in line." },
      write_outgoing_took },
    { { NULL, NULL, NULL }, NULL },
};
