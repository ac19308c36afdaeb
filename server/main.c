/* main.c - from the command line to a running server, and back out again. */
#include "server/base/address.h"
#include "db/outbox.h"
#include "server/config/config_load.h"
#include "server/config/descriptor_budget.h"
#include "handlers/boards/dataset.h"
#include "handlers/handlers.h"
#include "handlers/jobs.h"
#include "handlers/site.h"
#include "server/http/client/healthcheck.h"
#include "server/base/log.h"
#include "server/base/machine.h"
#include "server/base/memory.h"
#include "server/config/options.h"
#include "server/base/overload/refusal.h"
#include "server/base/reserve.h"
#include "server/inspect/commands.h"
#include "server/inspect/record_writer.h"
#include "server/executor/file.h"
#include "server/executor/executor.h"
#include "server/executor/workload.h"
#include "server/executor/process/process_pool.h"
#include "server/async/task.h"
#include "server/executor/thread_pool.h"
#include "server/http/client/client.h"
#include "server/http/server.h"
#include "server/topic/topic.h"
#include "server/config/version.h"

#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

enum { WHY = 512, MOST_QUERIES_WAITING = 1000000 };

static int fail(const char *why)
{
    fprintf(stderr, "tenk: %s\n", why);
    return EXIT_FAILURE;
}

/* What each worker of async mode has for itself, and the threads of threads mode share. */
static int per_pool(const config *c, int each)
{
    const int64_t all = c->server.mode == MODE_THREADS ? (int64_t)each * c->server.workers : each;
    return all < INT_MAX ? (int)all : INT_MAX;
}

static database_options database_options_of(const config *c)
{
    return (database_options){
        .url = c->database.url,
        .connections = per_pool(c, c->database.connections),
        .pipeline_depth = c->database.pipeline_depth,
        .readers = c->database.readers,
        .cache = c->database.cache,
        /* On a loop, requests wait to be let in; the queries of one that was let in are never too many. */
        .line = c->server.mode == MODE_THREADS ? per_pool(c, c->database.line) : MOST_QUERIES_WAITING,
        .timeout_ms = c->database.timeout,
        .line_timeout_ms = c->database.line_timeout,
        .connect_timeout_ms = c->database.connect_timeout,
        .prepare = c->database.prepare,
    };
}

static void configure_client(const config *c)
{
    http_client_configure(&(http_client_options){
        .connections = per_pool(c, c->outgoing.connections),
        .line = per_pool(c, c->outgoing.line),
        .target_ms = c->outgoing.target,
        .timeout_ms = c->outgoing.timeout,
        .connect_timeout_ms = c->outgoing.connect_timeout,
        .size = c->outgoing.size,
    });
}

static void configure_processes(const config *c)
{
    process_pool_configure(&(process_pool_options){
        .workers = per_pool(c, c->processes.pool),
        .waiting = per_pool(c, c->processes.line),
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

static void tell_of(const char *what, bool enabled, bool strangers)
{
    if (!enabled)
        printf(", without %s", what);
    else if (strangers)
        printf(", with %s for everybody", what);
}

struct running { const config *config; const database *database; server *server; };

static void announce(void *arg)
{
    const struct running *r = arg;
    const config *c = r->config;
    char how[64];
    if (c->server.mode == MODE_THREADS)
        snprintf(how, sizeof how, "threads mode, up to %d connections", c->threads.max);
    else
        snprintf(how, sizeof how, "async mode, %d worker%s", c->server.workers, c->server.workers == 1 ? "" : "s");
    address a;
    const bool strangers = address_parse(&a, c->server.listen) || !address_is_loopback(&a);
    if (poll(&(struct pollfd){ STDOUT_FILENO, POLLOUT, 0 }, 1, 0) == 0)      /* it is not read: we serve all the same */
        return;
    printf("tenk %s: %s, %s, %s", TENK_VERSION, server_address(r->server), how, database_describe(r->database));
    tell_of("/patterns", c->patterns.enabled, strangers);
    tell_of("the boards' routes", c->boards.enabled, strangers);
    puts("; stop with Ctrl-C");
    fflush(stdout);
}

static int serve(const config *c, database *d)
{
    char why[WHY];
    struct running r = { c, d, NULL };

    reserve_tune_allocator(c->server.mode == MODE_ASYNC);
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
    configure_refusals(c);
    task_set_stack_size(c->tasks.stack);
    const int err = c->server.mode == MODE_ASYNC ? thread_pool_start() : 0;
    if (err) {
        snprintf(why, sizeof why, "cannot start the threads of the pool: %s ([threads] pool = %d)", uv_strerror(err),
                 c->threads.pool);
        return fail(why);
    }
    if (c->boards.enabled && dataset_open(c->boards.dataset, why, sizeof why))
        return fail(why);
    site_offer(c->patterns.enabled, c->boards.enabled);
    const site site = site_open(d, ROUTES, ROUTE_COUNT, c->files.root, why, sizeof why);
    if (!site.routes || server_open(&r.server, c, &site, why, sizeof why))
        return fail(why);
    site_reached_at(server_own_address(r.server));
    const outbox_options published = { .poll_ms = c->outbox.poll, .keep = c->outbox.keep, .keep_ms = c->outbox.keep_for };
    if (site_listen(d, &published))
        return fail("cannot start the thread that reads what is published");
    const int late = server_run(r.server, announce, &r);
    site_listen_end();
    http_client_done();
    process_pool_end();
    server_close(r.server);
    topics_done();
    dataset_close();
    return late ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* From here on no thread waits for the reader of the log. */
static int serve_logged(const config *c, database *d)
{
    const int err = log_start();
    if (err) {
        log_error("cannot start the thread that writes the log: %s", uv_strerror(err));
        return EXIT_FAILURE;
    }
    const int late = record_writer_start(c->log.recordings);
    if (late)
        log_warning("cannot start the thread that writes recordings: %s", uv_strerror(late));
    const int code = serve(c, d);
    record_writer_stop();
    log_stop();
    return code;
}

static int with_database(const config *c, int (*then)(const config *c, database *d))
{
    char why[WHY];
    const database_options options = database_options_of(c);
    database *d;
    if (database_open(&d, &options, why, sizeof why))
        return fail(why);
    const int code = then(c, d);
    database_close(d);
    return code;
}

static int init_db(const config *c, database *d)
{
    char why[WHY];
    (void)c;
    if (database_init(d, why, sizeof why))
        return fail(why);
    printf("%s is ready\n", database_describe(d));
    return EXIT_SUCCESS;
}

static int act(action action, const config *c)
{
    char why[WHY];
    const database_options options = database_options_of(c);

    log_set_level((log_level)c->log.level);
    if (action == ACTION_PRINT_CONFIG) {
        config_print(c, stdout);
        return EXIT_SUCCESS;
    }
    if (action == ACTION_HEALTHCHECK)
        return healthcheck(c->server.listen, HEALTHCHECK_TIMEOUT, why, sizeof why) ? fail(why) : EXIT_SUCCESS;
    if (database_check(&options, why, sizeof why)) {
        fprintf(stderr, "tenk: [database] url: %s\n", why);
        return EXIT_CONFIG;
    }
    switch (action) {
    case ACTION_TEST_CONFIG:  puts("the configuration is good"); return EXIT_SUCCESS;
    case ACTION_INIT_DB:      return with_database(c, init_db);
    default:
        return descriptor_budget_check(c, why, sizeof why) ? fail(why) : with_database(c, serve_logged);
    }
}

/* What was printed must have arrived: a full disk behind stdout is a failure too. */
static int flushed(int code)
{
    return fflush(stdout) || ferror(stdout) ? fail("cannot write to standard output") : code;
}

int main(int argc, char *argv[])
{
    options o;
    config c;

    machine_open_standard_files();           /* before anything else is opened */
    if (argc > 1 && command_known(argv[1]))  /* it looks at another process, and starts nothing */
        return flushed(command_run(argc - 1, argv + 1, stdout, stderr));
    process_pool_begin(argc, argv, JOBS, JOB_COUNT);            /* a worker process begins here, too */
    mem_begin();
    signal(SIGPIPE, SIG_IGN);                /* a client that is gone is an error of the write */
    signal(SIGUSR1, SIG_IGN);                /* these ask for what is to be seen: not before there is something */
    signal(SIGUSR2, SIG_IGN);
    if (options_parse(&o, argc, argv, stderr))
        return EXIT_USAGE;
    if (o.action == ACTION_HELP) {
        options_help(stdout);
        fputs("\nA server that runs is looked at by:\n", stdout);
        commands_help(stdout);
        return flushed(EXIT_SUCCESS);
    }
    if (o.action == ACTION_VERSION) {
        version_print(stdout);
        return flushed(EXIT_SUCCESS);
    }
    o.sources.environment = environ;
    machine_raise_open_files();              /* first: how many connections there may be depends on it */
    if (config_load(&c, &o.sources, stderr))
        return EXIT_CONFIG;
    const int code = flushed(act(o.action, &c));
    config_free(&c);
    return code;
}
