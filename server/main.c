/* main.c - from the command line to a running server, and back out again. */
#include "configure.h"
#include "db/outbox.h"
#include "server/config/config_load.h"
#include "server/config/descriptor_budget.h"
#include "server/config/endpoint.h"
#include "handlers/boards/dataset.h"
#include "handlers/compare/comparison.h"
#include "handlers/replica.h"
#include "handlers/handlers.h"
#include "handlers/jobs.h"
#include "handlers/layout.h"
#include "handlers/site.h"
#include "server/diagnose/crash_handler.h"
#include "server/http/client/healthcheck.h"
#include "server/base/log.h"
#include "server/base/machine.h"
#include "server/base/memory.h"
#include "server/base/reserve.h"
#include "server/config/options.h"
#include "server/inspect/commands.h"
#include "server/inspect/record_writer.h"
#include "server/executor/process/process_pool.h"
#include "server/executor/thread_pool.h"
#include "server/http/client/client.h"
#include "reload.h"
#include "server/http/identity.h"
#include "server/http/listen/listening_sockets.h"
#include "server/http/observe/traces.h"
#include "server/http/second_server.h"
#include "server/http/server.h"
#include "server/service/control.h"
#include "server/service/pid_file.h"
#include "server/service/privileges.h"
#include "server/service/running.h"
#include "server/service/service_manager.h"
#include "server/service/syscall_filter.h"
#include "server/topic/topic.h"
#include "server/config/version.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WHY = 512 };

static int fail(const char *why)
{
    fprintf(stderr, "tenk: %s\n", why);
    return EXIT_FAILURE;
}

static void tell_of(const char *what, bool enabled, bool strangers)
{
    if (!enabled)
        printf(", without %s", what);
    else if (strangers)
        printf(", with %s for everybody", what);
}

struct running {
    const config         *config;
    const config_sources *sources;
    database             *database;
    server               *server;
    second_server        *second;
    reload               *reload;
    control              *control;           /* NULL before it serves */
    handover              before;            /* from whom it takes over */
    pid_file              pid_file;
    handover_server       listens;           /* who may take over from it, until control has it */
};

static void announce_server(const config *c, mode mode, const char *addresses)
{
    if (mode == MODE_THREADS)
        printf("%s, threads mode, up to %d connections, ", addresses, c->threads.max);
    else
        printf("%s, async mode, %d worker%s, ", addresses, c->server.workers, c->server.workers == 1 ? "" : "s");
}

static void announce(const struct running *r)
{
    const config *c = r->config;
    const bool strangers = !config_is_local(c);
    if (poll(&(struct pollfd){ STDOUT_FILENO, POLLOUT, 0 }, 1, 0) == 0)      /* it is not read: we serve all the same */
        return;
    printf("tenk %s: ", TENK_VERSION);
    announce_server(c, c->server.mode, server_addresses(r->server));
    if (second_server_address(r->second)) {
        printf("and ");
        announce_server(c, second_server_mode(r->second), second_server_address(r->second));
    }
    if (*server_admin_addresses(r->server))
        printf("admin at %s, ", server_admin_addresses(r->server));
    fputs(database_describe(r->database), stdout);
    tell_of("/patterns", c->patterns.enabled, strangers);
    tell_of("the boards' routes", c->boards.enabled, strangers);
    if (c->admin.public && strangers)
        printf(", with /metrics for everybody");
    puts("; stop with Ctrl-C");
    fflush(stdout);
}

static bool has(const char *path) { return strcmp(path, CONFIG_NONE) != 0; }

static const char *handover_path(const config *c) { return has(c->server.handover) ? c->server.handover : NULL; }

static void on_draining(void *arg)
{
    (void)arg;
    service_notify("STOPPING=1\nSTATUS=Finishing what is under way");
}

static void on_ready(void *arg)
{
    const struct running *r = arg;
    announce(r);
    service_notify("READY=1\nSTATUS=Serving at %s", server_addresses(r->server));
}

static void on_started(void *arg)
{
    const struct running *r = arg;
    const int unwanted = listening_sockets_close_untaken();
    if (unwanted)
        log_warning("%d listening socket%s given for which [server] listen has no use", unwanted,
                    unwanted == 1 ? " was" : "s were");
    control_serve(r->control);
}

static int serve(struct running *r)
{
    const config *const c = r->config;
    char why[WHY];

    configure_process(c);
    const int err = c->server.mode == MODE_ASYNC ? thread_pool_start() : 0;
    if (err) {
        snprintf(why, sizeof why, "cannot start the threads of the pool: %s ([threads] pool = %d)", uv_strerror(err),
                 c->threads.pool);
        return fail(why);
    }
    if (c->boards.enabled && dataset_open(c->boards.dataset, why, sizeof why))
        return fail(why);
    site_offer(c->patterns.enabled, c->boards.enabled, c->admin.public);
    const site site = site_open(r->database, ROUTES, ROUTE_COUNT, layout_problem, c->files.root, why, sizeof why);
    if (!site.routes)
        return fail(why);
    server_set_site(r->server, &site);
    if (server_own_address(r->server))
        site_reached_at(server_own_address(r->server));
    const outbox_options published = { .poll_ms = c->outbox.poll, .keep = c->outbox.keep, .keep_ms = c->outbox.keep_for };
    if (site_listen(r->database, &published))
        return fail("cannot start the thread that reads what is published");
    observers watching;
    if (observers_prepare(&watching, c, why, sizeof why)) {
        site_listen_end();
        return fail(why);
    }
    observers_use(&watching);
    r->second = second_server_new(r->server, c, &site);
    comparison_configure(r->second, c);
    if (strcmp(c->server.compare, CONFIG_ON_DEMAND) != 0 && second_server_open(r->second, c->server.compare, why, sizeof why)) {
        traces_stop();
        site_listen_end();
        return fail(why);
    }
    r->reload = reload_new(c, r->sources, r->server, r->second);
    const control_options options = {
        .server = r->server, .reload = reload_run, .drain_ms = reload_drain_ms, .arg = r->reload,
        .before = &r->before, .handover = handover_path(c), .listens = r->listens, .ready = on_ready, .ready_arg = r,
    };
    if (control_start(&r->control, &options)) {
        traces_stop();
        site_listen_end();
        return fail("cannot start the thread that is told what to do");
    }
    server_on_draining(r->server, on_draining, NULL);
    int late = server_run(r->server, on_started, r);
    control_stop(r->control);
    comparison_end();
    late |= second_server_free(r->second);
    site_listen_end();
    traces_stop();
    http_client_done();
    process_pool_end();
    replica_close();
    topics_done();
    dataset_close();
    reload_free(r->reload);
    return late ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* From here on no thread waits for the reader of the log. */
static int serve_logged(void *arg, database *d)
{
    struct running *const r = arg;
    r->database = d;
    log_set_whom(identity_in_log);
    identity_answers = r->config->log.request_id;
    const int err = log_start();
    if (err) {
        log_error("cannot start the thread that writes the log: %s", uv_strerror(err));
        return EXIT_FAILURE;
    }
    crash_handler_install();                 /* from now on the log may hold what is not written yet */
    const int late = record_writer_start(r->config->log.recordings);
    if (late)
        log_warning("cannot start the thread that writes recordings: %s", uv_strerror(late));
    const int code = serve(r);
    record_writer_stop();
    log_stop();
    return code;
}

static int with_database(const config *c, int (*then)(void *arg, database *d), void *arg)
{
    char why[WHY];
    const database_options options = configure_database(c);
    database *d;
    if (database_open(&d, &options, why, sizeof why))
        return fail(why);
    const int code = then(arg, d);
    database_close(d);
    return code;
}

/* When its address is bound, and before anything is read that a stranger has sent. */
static int lower_privileges(const config *c, char *why, size_t size)
{
    const int err = has(c->server.user) ? privileges_drop(c->server.user, why, size) : 0;
    if (err)
        return err;
    privileges_gain_no_more();
    return c->server.seccomp ? syscall_filter_install(why, size) : 0;
}

/* Two processes do not write one file of SQLite: the one before has to close it first. */
static int wait_for_database(struct running *r, char *why, size_t size)
{
    const database_options own = configure_database(r->config), replica = configure_replica(r->config);
    if (r->before.channel < 0 || !(database_is_exclusive(&own) || database_is_exclusive(&replica)))
        return 0;
    handover_take(&r->before);
    const int err = handover_wait_closed(&r->before);
    if (err)
        snprintf(why, size, "process %ld, from which tenk takes over, has not closed the database in time", r->before.process);
    return err;
}

static int serve_in_place(struct running *r)
{
    const config *const c = r->config;
    const char *const path = handover_path(c);
    char why[WHY];
    int code = EXIT_FAILURE;
    reserve_tune_allocator(c->server.mode == MODE_ASYNC);    /* before any thread: each takes a heap when it first allocates */
    control_begin();
    service_manager_begin();
    if (path && handover_ask(&r->before, path, why, sizeof why))
        return fail(why);
    if (server_open(&r->server, c, why, sizeof why)) {
        fail(why);
        goto end_handover;
    }
    if (path && r->before.channel < 0 && handover_open(&r->listens, path, why, sizeof why)) {
        fail(why);
        goto close_server;
    }
    if (has(c->server.pid_file) && pid_file_open(&r->pid_file, c->server.pid_file, r->before.channel >= 0, why, sizeof why))
        fail(why);
    else if (lower_privileges(c, why, sizeof why))
        fail(why);
    else if (wait_for_database(r, why, sizeof why))
        fail(why);
    else
        code = with_database(c, serve_logged, r);
    pid_file_close(&r->pid_file);
    if (r->control) {
        control_closed(r->control);
        control_free(r->control);
    } else {
        handover_close(&r->listens);
    }
close_server:
    server_close(r->server);
end_handover:
    handover_end(&r->before);
    return code;
}

static int init_db(void *arg, database *d)
{
    char why[WHY];
    (void)arg;
    if (database_init(d, why, sizeof why))
        return fail(why);
    printf("%s is ready\n", database_describe(d));
    return EXIT_SUCCESS;
}

/* Of a server that is told to stop, with something to spare. */
static uint64_t stop_ms(const config *c)
{
    enum { BESIDE = 5000 };
    return c->timeouts.drain_delay + c->timeouts.drain + BESIDE;
}

static int act(action action, const config *c, const config_sources *sources)
{
    char why[WHY];
    const database_options options = configure_database(c);

    log_set_level((log_level)c->log.level);
    if (action == ACTION_PRINT_CONFIG) {
        config_print(c, stdout);
        return EXIT_SUCCESS;
    }
    if (action == ACTION_HEALTHCHECK) {
        const int err = healthcheck(c->server.listen, c->server.trusted_proxies, HEALTHCHECK_TIMEOUT, why, sizeof why);
        return err ? fail(why) : EXIT_SUCCESS;
    }
    if (database_check(&options, why, sizeof why)) {
        fprintf(stderr, "tenk: [database] url: %s\n", why);
        return EXIT_CONFIG;
    }
    const database_options replica = configure_replica(c);
    if (database_check(&replica, why, sizeof why)) {
        fprintf(stderr, "tenk: [patterns] replica: %s\n", why);
        return EXIT_CONFIG;
    }
    switch (action) {
    case ACTION_TEST_CONFIG:  puts("the configuration is good"); return EXIT_SUCCESS;
    case ACTION_RELOAD:       return running_reload(c->server.pid_file, why, sizeof why) ? fail(why) : EXIT_SUCCESS;
    case ACTION_STOP:         return running_stop(c->server.pid_file, stop_ms(c), why, sizeof why) ? fail(why) : EXIT_SUCCESS;
    case ACTION_INIT_DB:      return with_database(c, init_db, NULL);
    default:
        if (descriptor_budget_check(c, why, sizeof why))
            return fail(why);
        return serve_in_place(&(struct running){ .config = c, .sources = sources, .before.channel = -1, .pid_file.fd = -1,
                                                 .listens = { .listening = -1, .asking = -1 } });
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
    const int code = flushed(act(o.action, &c, &o.sources));
    config_free(&c);
    return code;
}
