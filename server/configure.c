/* configure.c - see configure.h. */
#include "configure.h"
#include "handlers/gallery/gallery.h"
#include "handlers/readyz.h"
#include "handlers/replica.h"
#include "server/async/task.h"
#include "server/base/log.h"
#include "server/base/overload/refusal.h"
#include "server/executor/executor.h"
#include "server/executor/file.h"
#include "server/executor/process/process_pool.h"
#include "server/executor/thread_pool.h"
#include "server/executor/workload.h"
#include "server/http/client/client.h"
#include "server/http/cors.h"
#include "server/http/identity.h"
#include "server/http/middleware/rate_limit.h"
#include "server/http/observe/traces.h"
#include "server/topic/topic.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

enum { MOST_QUERIES_WAITING = 1000000 };

/* What each worker of async mode has for itself, and the threads of threads mode share: both may serve. */
static int all_pools(int each, int workers)
{
    const int64_t all = (int64_t)each * workers;
    return all < INT_MAX ? (int)all : INT_MAX;
}

database_options configure_database(const config *c)
{
    return (database_options){
        .url = c->database.url,
        .connections = c->database.connections,
        .blocking_connections = all_pools(c->database.connections, c->server.workers),
        .pipeline_depth = c->database.pipeline_depth,
        .readers = c->database.readers,
        .cache = c->database.cache,
        .line = all_pools(c->database.line, c->server.workers),
        /* On a loop, requests wait to be let in; the queries of one that was let in are never too many. */
        .loop_line = MOST_QUERIES_WAITING,
        .timeout_ms = c->database.timeout,
        .line_timeout_ms = c->database.line_timeout,
        .connect_timeout_ms = c->database.connect_timeout,
        .prepare = c->database.prepare,
        .comment = c->database.comment ? identity_in_sql : NULL,
    };
}

database_options configure_replica(const config *c)
{
    enum { CONNECTIONS = 2, CACHE = 8 * 1024 * 1024 };
    database_options o = configure_database(c);
    if (strcmp(c->patterns.replica, "none") != 0)
        o.url = c->patterns.replica;
    o.connections = o.readers = CONNECTIONS;
    o.cache = CACHE;
    return o;
}

static void configure_client(const config *c)
{
    http_client_configure(&(http_client_options){
        .connections = c->outgoing.connections,
        .line = c->outgoing.line,
        .loops = c->server.workers,
        .target_ms = c->outgoing.target,
        .timeout_ms = c->outgoing.timeout,
        .connect_timeout_ms = c->outgoing.connect_timeout,
        .size = c->outgoing.size,
    });
}

static void configure_processes(const config *c)
{
    process_pool_configure(&(process_pool_options){
        .workers = c->processes.pool,
        .waiting = c->processes.line,
        .loops = c->server.workers,
        .target_ms = c->processes.target,
        .jobs = c->processes.jobs,
        .memory = c->processes.memory,
        .timeout_ms = c->processes.timeout,
    });
}

static void configure_topics(const config *c)
{
    topics_configure(&(topic_options){ .keep = c->topics.keep, .most = c->topics.most, .bytes = c->topics.bytes });
}

static void configure_middleware(const config *c)
{
    cors_configure(&(cors_options){
        .origins = c->cors.origins,
        .methods = c->cors.methods,
        .headers = c->cors.headers,
        .credentials = c->cors.credentials,
        .max_age_ms = c->cors.max_age,
    });
    rate_limit_configure(&(rate_limit){ "default", (uint32_t)c->rate_limit.requests, c->rate_limit.window },
                         c->rate_limit.clients);
}

/* What an answer that refuses says of the limit that it met. */
static void configure_refusals(const config *c)
{
    for (int i = 0; i < 2; i++) {            /* of the database, and of the database and the pool */
        const int first = i ? REFUSED_PAGE_WAIT : REFUSED_DATABASE_WAIT;
        refusal_set_limit(first, c->database.target);
        refusal_set_limit(first + 1, c->database.target);
        refusal_set_limit(first + 2, c->database.line_timeout);
        refusal_set_limit(first + 3, (uint64_t)c->database.line);
    }
    refusal_set_limit(REFUSED_CPU_WAIT, c->threads.target);
    refusal_set_limit(REFUSED_FILES_WAIT, c->threads.target);
    refusal_set_limit(REFUSED_PROCESSES_WAIT, c->processes.target);
    refusal_set_limit(REFUSED_OUTGOING_WAIT, c->outgoing.target);
    refusal_set_limit(REFUSED_CPU_LINE, (uint64_t)c->threads.waiting);
    refusal_set_limit(REFUSED_FILES_LINE, (uint64_t)c->threads.waiting);
    refusal_set_limit(REFUSED_PROCESSES_LINE, (uint64_t)c->processes.line);
    refusal_set_limit(REFUSED_OUTGOING_LINE, (uint64_t)c->outgoing.line);
    refusal_set_limit(REFUSED_CONNECTIONS, (uint64_t)c->limits.connections);
    refusal_set_limit(REFUSED_THREADS, (uint64_t)c->threads.max);
}

void configure_live(const config *c)
{
    log_set_level((log_level)c->log.level);
    configure_refusals(c);
}

void configure_process(const config *c)
{
    thread_pool_configure(c->threads.pool, c->threads.running, c->threads.waiting);
    /* Half of the pool is left to what computes, even when the disk hangs. */
    const int files = c->threads.pool / 2 / c->server.workers;
    file_configure(files > 1 ? files : 1, c->threads.waiting);
    executor_set_target(EXECUTOR_CPU, c->threads.target);
    executor_set_target(EXECUTOR_FILES, c->threads.target);
    workload_configure((workload_choice)c->rendering.where, c->rendering.microseconds);
    configure_client(c);
    configure_processes(c);
    configure_topics(c);
    configure_middleware(c);
    const database_options replica = configure_replica(c);
    replica_configure(&replica);
    readyz_configure(c->health.grace);
    gallery_configure(c->patterns.timeout);
    task_set_stack_size(c->tasks.stack);
    configure_live(c);
}

static bool traces_are_wanted(const config *c) { return strcmp(c->traces.endpoint, CONFIG_NONE) != 0; }

static traces_options configure_traces(const config *c)
{
    return (traces_options){
        .endpoint = c->traces.endpoint, .service = c->traces.service, .sample = c->traces.sample,
        .database = strncmp(c->database.url, "sqlite:", 7) == 0 ? "sqlite" : "postgresql",
    };
}

int observers_prepare(observers *o, const config *c, char *why, size_t size)
{
    const traces_options traces = configure_traces(c);
    *o = (observers){ .config = c };
    int err = access_log_prepare(&o->access, (access_format)c->log.access, c->log.access_to, why, size);
    if (err || !traces_are_wanted(c) || !(err = traces_prepare(&traces)))
        return err;
    snprintf(why, size, "[traces] endpoint: %s: %s", traces.endpoint,
             err == UV_EINVAL ? "it is no URL of http:// or https://, and not none" : uv_strerror(err));
    access_log_forget(&o->access);
    return err;
}

void observers_use(observers *o)
{
    const traces_options traces = configure_traces(o->config);
    access_log_use(&o->access);
    if (traces_are_wanted(o->config))
        traces_start(&traces);               /* it is prepared */
    else
        traces_pause();
}

void observers_forget(observers *o) { access_log_forget(&o->access); }
