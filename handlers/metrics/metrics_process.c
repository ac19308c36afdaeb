/* metrics_process.c - of /metrics: the process, by the names that all programs have for it; its logs, and its traces. */
#include "metrics.h"
#include "handlers/site.h"
#include "server/async/loop.h"
#include "server/base/log.h"
#include "server/base/machine.h"
#include "server/config/version.h"
#include "server/http/observe/access_log.h"
#include "server/http/observe/traces.h"

static void write_cpu(metrics_page *p)
{
    if (p->process)
        exposition_seconds(&p->e, TEXT(""), p->process->taken.cpu_all);
}

static void write_resident(metrics_page *p)
{
    if (p->process)
        exposition_number(&p->e, TEXT(""), p->process->taken.resident);
}

static void write_virtual(metrics_page *p)
{
    if (p->process)
        exposition_number(&p->e, TEXT(""), p->process->virtual_memory);
}

static void write_open_files(metrics_page *p)
{
    if (p->process)
        exposition_number(&p->e, TEXT(""), p->process->open_files);
}

static void write_started(metrics_page *p)
{
    if (p->process)
        exposition_seconds(&p->e, TEXT(""), (uint64_t)(p->process->started * 1e9));
}

static void write_threads(metrics_page *p)
{
    if (p->process)
        exposition_number(&p->e, TEXT(""), (uint64_t)p->process->taken.client_threads);
}

static void write_thread_stacks(metrics_page *p)
{
    if (p->process)
        exposition_number(&p->e, TEXT(""), p->process->taken.thread_stacks);
}

static void write_most_files(metrics_page *p) { exposition_number(&p->e, TEXT(""), (uint64_t)machine_open_files()); }
static void write_dropped(metrics_page *p)    { exposition_number(&p->e, TEXT(""), log_count().dropped); }
static void write_held_back(metrics_page *p)  { exposition_number(&p->e, TEXT(""), log_count().held_back); }

static void write_access_dropped(metrics_page *p) { exposition_number(&p->e, TEXT(""), access_log_dropped()); }
static void write_spans_sent(metrics_page *p)     { exposition_number(&p->e, TEXT(""), traces_count().sent); }
static void write_spans_dropped(metrics_page *p)  { exposition_number(&p->e, TEXT(""), traces_count().dropped); }

static void write_build(metrics_page *p)
{
    exposition_number(&p->e, exposition_labels(&p->e, "version", TENK_VERSION, "mode", loop_here() ? "async" : "threads",
                                               "database", site_on_postgres() ? "postgresql" : "sqlite", NULL), 1);
}

const metric_family METRICS_OF_PROCESS[] = {
    { { "process_cpu_seconds_total", "counter", "Processor time, of user and system." }, write_cpu },
    { { "process_resident_memory_bytes", "gauge", "Memory that the process has." }, write_resident },
    { { "process_virtual_memory_bytes", "gauge", "Memory that it has mapped." }, write_virtual },
    { { "process_open_fds", "gauge", "Descriptors that are open." }, write_open_files },
    { { "process_max_fds", "gauge", "Descriptors that may be open." }, write_most_files },
    { { "process_start_time_seconds", "gauge", "When it was started, since 1970." }, write_started },
    { { "client_threads", "gauge", "Threads that have a client, in threads mode." }, write_threads },
    { { "client_thread_stack_resident_bytes", "gauge", "Memory of their stacks." }, write_thread_stacks },
    { { "log_lines_dropped_total", "counter", "Lines of the log that were lost, as nobody read it." }, write_dropped },
    { { "log_lines_held_back_total", "counter", "Lines that were only counted, as there were many like them." },
      write_held_back },
    { { "access_log_lines_dropped_total", "counter", "Lines of the access log that were lost, as they could not be written." },
      write_access_dropped },
    { { "trace_spans_sent_total", "counter", "Spans that the collector has taken." }, write_spans_sent },
    { { "trace_spans_dropped_total", "counter", "Spans that were lost, as it is slow or away, or refused them." },
      write_spans_dropped },
    { { "tenk_build_info", "gauge", "1, with the version, the mode, and the kind of database." }, write_build },
    { { NULL, NULL, NULL }, NULL },
};
