/* settings.c - see settings.h. To add a setting: a member in config.h, a row here, and two lines in
 * config.ini, which a test compares with the row. */
#include "settings.h"

#include "descriptor_budget.h"
#include "endpoint.h"
#include "installed.h"
#include "server/base/machine.h"
#include "server/base/units.h"

#include <limits.h>
#include <string.h>

static int auto_processors(const config *c)
{
    (void)c;
    return machine_processors();
}

static int auto_processors_shared(const config *c)
{
    const int each = machine_processors() / c->server.workers;
    return each > 1 ? each : 1;
}

static int auto_pool(const config *c)
{
    (void)c;
    return machine_processors() > 4 ? machine_processors() : 4;
}

static int auto_running(const config *c)
{
    return machine_processors() < c->threads.pool ? machine_processors() : c->threads.pool;
}

static int auto_line(const config *c) { return c->limits.connections; }

/* A thread that serves maps its stack with a guard, and a stack for signals, and has a heap; of these it touches some. */
static int auto_threads(const config *c)
{
    enum { MOST = 1000000, OTHERS = 32, BESIDE_STACK = 384 * 1024, TOUCHED = 128 * 1024 };
    const int64_t all = (int64_t)c->limits.connections * c->server.workers;
    const int64_t others = OTHERS + c->database.readers + c->threads.pool;
    const int64_t threads = machine_threads(c->threads.stack + BESIDE_STACK, TOUCHED) - others;
    const int64_t each = threads < all ? threads : all;
    return each < 1 ? 1 : each < MOST ? (int)each : MOST;
}

bool config_is_local(const config *c)
{
    return endpoints_are_local(c->server.listen) && strcmp(c->server.trusted_proxies, CONFIG_NONE) == 0;
}

/* What strangers shall not find unless it is asked for. */
static int auto_local(const config *c) { return config_is_local(c); }

/* The gallery asks the server itself, by TCP. */
static int auto_gallery(const config *c) { return auto_local(c) && endpoints_have_port(c->server.listen, NULL); }

static char *auto_static_folder(void)
{
    static char folder[PATH_MAX], here[] = "static";
    return installed_static(folder, sizeof folder) || !units_is_line(folder) ? here : folder;
}

static const char *const MODES[] = { "async", "threads", NULL };
static const char *const FORWARDED[] = { "x-forwarded", "forwarded", NULL };
static const char *const PLACES[] = { "auto", "loop", "pool", NULL };
static const char *const ACCESS_FORMATS[] = { "off", "combined", "json", NULL };
static const char *const LEVELS[] = { "error", "warning", "info", "debug", NULL };

_Static_assert(sizeof(mode) == sizeof(int), "a choice is stored as an int");

/* Name, place and type of a member; comparing the pointers makes a wrong type an error here. */
#define MEMBER(in, name, ctype)              \
    .section = #in, .key = #name,            \
    .offset = offsetof(config, in.name) + 0 * sizeof((ctype *)0 == &((config *)0)->in.name)

#define TEXTUAL(kind, in, name)         MEMBER(in, name, char *), .type = kind
#define AMOUNT(kind, least, most)       .type = kind, .low = least, .high = most
#define NUMBER(in, name, least, most)   MEMBER(in, name, int), AMOUNT(SETTING_NUMBER, least, most)
#define SIZE(in, name, least, most)     MEMBER(in, name, size_t), AMOUNT(SETTING_SIZE, least, most)
#define DURATION(in, name, least, most) MEMBER(in, name, uint64_t), AMOUNT(SETTING_DURATION, least, most)
#define RATIO(in, name)                 MEMBER(in, name, double), .type = SETTING_RATIO
#define SWITCH(in, name)                MEMBER(in, name, bool), .type = SETTING_SWITCH
#define LIVE                            .live = true
#define CHOICE(in, name, ctype, list)   MEMBER(in, name, ctype), .type = SETTING_CHOICE, .choices = list

const setting_section SETTING_SECTIONS[] = {
    { "server",   "Where tenk serves, and how." },
    { "database", "Where the data is, and how long a query may take." },
    { "outgoing", "What tenk asks of other servers by HTTP." },
    { "processes", "What may crash, or never end, is done in processes of its own." },
    { "limits",   "What a client may ask for. Beyond it the answer is 413, 414, 431 or 503." },
    { "timeouts", "How long tenk waits for a client, and lets one wait." },
    { "cors",     "Which other sites' pages may use what is served here." },
    { "rate_limit", "How often one client may ask; beyond it the answer is 429." },
    { "websocket", "Messages to and fro on one connection." },
    { "topics",   "What is published under a name, for all who have subscribed to it." },
    { "outbox",   "What is published in a transaction, for all servers on one database." },
    { "events",   "Events to a client, in an answer that goes on." },
    { "threads",  "The pool that does what would block a loop; and the threads of threads mode." },
    { "rendering", "Where a page is written: on its loop, or in the pool of [threads]." },
    { "tasks",    "Tasks." },
    { "files",    "What is served from the disk." },
    { "patterns", "The gallery of asynchronous patterns, at /patterns, and where pages are rendered (?render=)." },
    { "boards",   "The routes by which public benchmarks compare servers: /db, /queries, /updates, /fortunes ..." },
    { "health",   "What GET /readyz says, by which one chooses among servers." },
    { "admin",    "Where one looks at the server, and switches it, apart from its clients." },
    { "log",      "What is written to standard error, and of each request." },
    { "traces",   "Requests, and what was done for them, as spans for a collector: OpenTelemetry's." },
};
const int SETTING_SECTION_COUNT = sizeof SETTING_SECTIONS / sizeof *SETTING_SECTIONS;

const setting SETTINGS[] = {
    { TEXTUAL(SETTING_ENDPOINTS, server, listen), .initial = "127.0.0.1:8080",
      .why = "A list: HOST:PORT; :PORT is every address, port 0 any free one; unix:PATH,mode=0660 a unix socket." },
    { CHOICE(server, mode, mode, MODES), .initial = "async",
      .why = "async: one loop serves many connections; threads: a thread for each, and blocking calls." },
    { NUMBER(server, workers, "1", "1024"), .initial = "auto", .automatic = auto_processors,
      .why = "Loops, each on a thread of its own; auto: one for each processor." },
    { TEXTUAL(SETTING_ADDRESS, server, compare), .initial = CONFIG_ON_DEMAND,
      .why = "HOST:PORT where the other mode serves, too; auto: a free port of loopback, if / is asked to compare." },
    { TEXTUAL(SETTING_NETWORKS, server, trusted_proxies), .initial = "none",
      .why = "Whose word counts of those for whom they speak: networks, 10.0.0.0/8, ::1; unix; or none." },
    { CHOICE(server, forwarded, int, FORWARDED), .initial = "x-forwarded",
      .why = "By which headers they say it: x-forwarded (-For, -Proto, -Host), or forwarded (RFC 7239)." },
    { TEXTUAL(SETTING_TEXT, server, handover), .initial = "none",
      .why = "The path of a socket by which the next tenk with it takes this one's place, losing nobody; or none." },
    { TEXTUAL(SETTING_TEXT, server, pid_file), .initial = "none",
      .why = "The file with the process' number, by which tenk --reload and tenk --stop find it; or none." },
    { TEXTUAL(SETTING_TEXT, server, user), .initial = "none",
      .why = "Who tenk is, if root has started it, once it has bound its address: a name or a number; or none." },
    { SWITCH(server, seccomp), .initial = "off",
      .why = "Whether the kernel refuses it the system calls that it does not need." },

    { TEXTUAL(SETTING_URL, database, url), .initial = "sqlite:tenk.db",
      .why = "sqlite:PATH, or postgresql://USER:PASSWORD@HOST/NAME." },
    { NUMBER(database, connections, "1", "1000"), .initial = "4",
      .why = "To PostgreSQL, for each worker; two queries of one gather run on two." },
    { NUMBER(database, pipeline_depth, "1", "10000"), .initial = "32",
      .why = "Queries in flight on one connection, enough to keep it busy; 1 waits for each answer." },
    { NUMBER(database, readers, "1", "64"), .initial = "auto", .automatic = auto_processors,
      .why = "Threads that read from SQLite; auto: one for each processor." },
    { SIZE(database, cache, "1MiB", "1024GiB"), .initial = "128MiB",
      .why = "Bytes of SQLite's file in memory, of all readers together, a share each; the writer has 8 MiB." },
    { NUMBER(database, line, "0", "1000000"), .initial = "auto", .automatic = auto_line,
      .why = "Requests that may wait for the database, for each worker; more get 503; auto: [limits] connections." },
    { DURATION(database, target, "0", "1h"), LIVE, .initial = "200ms",
      .why = "How long they may wait while more come than can be served, then 503; 0: line_timeout." },
    { DURATION(database, timeout, "0", "24h"), .initial = "5s",
      .why = "Of one query, which is then cancelled at the server; 0 for none." },
    { DURATION(database, line_timeout, "1ms", "1h"), .initial = "2s",
      .why = "How long a request, or a query, waits for the database at most; then it gets 503." },
    { DURATION(database, connect_timeout, "1ms", "1h"), .initial = "5s",
      .why = "For one attempt to connect." },
    { SWITCH(database, prepare), .initial = "on",
      .why = "Prepared statements; off for a pooler in transaction mode." },
    { SWITCH(database, comment), .initial = "off",
      .why = "Behind each statement to PostgreSQL, for which route and trace it is; only with prepare = off." },

    { NUMBER(outgoing, connections, "1", "1000"), .initial = "16",
      .why = "Requests at once, for each worker." },
    { NUMBER(outgoing, line, "0", "1000000"), .initial = "1024",
      .why = "Requests that may wait for their turn, for each worker; what needs more gets 503." },
    { DURATION(outgoing, target, "0", "1h"), .initial = "1s",
      .why = "How long they may wait while more come than can be made, then 503; 0: for all of timeout." },
    { DURATION(outgoing, timeout, "1ms", "1h"), .initial = "10s",
      .why = "From being asked for to the last byte of its answer, its wait in line included." },
    { DURATION(outgoing, connect_timeout, "1ms", "1h"), .initial = "2s",
      .why = "To look up the name and connect." },
    { SIZE(outgoing, size, "0", "1GiB"), .initial = "1MiB",
      .why = "Bytes of an answer's body, which is kept in memory; a larger one is an error." },

    { NUMBER(processes, pool, "1", "1000"), .initial = "auto", .automatic = auto_processors_shared,
      .why = "Processes for each worker, started when first needed; auto: one for each processor." },
    { NUMBER(processes, line, "0", "1000000"), .initial = "64",
      .why = "Jobs that may wait for one, for each worker; more get 503." },
    { DURATION(processes, target, "0", "1h"), .initial = "2s",
      .why = "How long they may wait while more come than can be done, then 503; 0: for all of timeout." },
    { NUMBER(processes, jobs, "1", "1000000000"), .initial = "1000",
      .why = "After so many a process is replaced by a new one." },
    { SIZE(processes, memory, "1MiB", "1024GiB"), .initial = "256MiB",
      .why = "That one process may take, beyond what it starts with." },
    { DURATION(processes, timeout, "1ms", "24h"), .initial = "10s",
      .why = "Of one job, its wait in line included; then the process is killed, and that is 504." },

    { SIZE(limits, head, "256", "63KiB"), LIVE, .initial = "16KiB",
      .why = "Bytes of a request's first line and headers; this much is buffered." },
    { NUMBER(limits, headers, "1", "256"), LIVE, .initial = "100",
      .why = "Headers of one request." },
    { SIZE(limits, uri, "16", "63KiB"), LIVE, .initial = "8KiB",
      .why = "Bytes of the request target; part of the head." },
    { SIZE(limits, body, "0", "1GiB"), LIVE, .initial = "1MiB",
      .why = "Bytes of a request's body, which is kept in memory." },
    { NUMBER(limits, connections, "1", "1000000"), LIVE, .initial = "auto", .automatic = descriptor_budget_connections,
      .why = "Open at once, for each worker; auto: what the limit of open files allows." },
    { NUMBER(limits, pipeline, "1", "1000"), LIVE, .initial = "32",
      .why = "Requests of one connection under way at once; the others wait unread." },
    { SIZE(limits, output, "4KiB", "1GiB"), LIVE, .initial = "1MiB",
      .why = "Bytes that wait for a slow reader before its requests do." },
    { SIZE(limits, outputs, "0", "1024GiB"), LIVE, .initial = "64MiB",
      .why = "The same of all slow readers of a worker together: each may hold as much as is left." },

    { DURATION(timeouts, head, "1ms", "1h"), LIVE, .initial = "10s",
      .why = "For the first byte of a connection, and for a whole head to arrive; a slow one gets 408." },
    { DURATION(timeouts, body, "1ms", "24h"), LIVE, .initial = "30s",
      .why = "For a body to arrive; a slow one gets 408." },
    { DURATION(timeouts, idle, "1ms", "24h"), LIVE, .initial = "75s",
      .why = "Between requests; longer than the 60s of most load balancers." },
    { DURATION(timeouts, write, "1ms", "24h"), LIVE, .initial = "30s",
      .why = "For a reader to take anything at all of an answer." },
    { DURATION(timeouts, request, "0", "24h"), LIVE, .initial = "30s",
      .why = "To answer a request, until the answer begins; a late one gets 504; 0: no limit. /sleep has its own." },
    { DURATION(timeouts, drain, "0", "1h"), LIVE, .initial = "10s",
      .why = "To finish what is under way when stopping, and for last requests; 0 stops at once." },
    { DURATION(timeouts, drain_delay, "0", "1h"), LIVE, .initial = "0",
      .why = "How long it serves on once it has been told to stop, and is not ready: until its balancer knows." },

    { TEXTUAL(SETTING_TEXT, cors, origins), .initial = "none",
      .why = "https://one.example, https://two.example: may read, and change; *: all may read; or none." },
    { TEXTUAL(SETTING_TEXT, cors, methods), .initial = "GET, HEAD, POST",
      .why = "What such a page may ask by." },
    { TEXTUAL(SETTING_TEXT, cors, headers), .initial = "Content-Type",
      .why = "Headers that it may send, beyond those that any page may." },
    { SWITCH(cors, credentials), .initial = "off",
      .why = "Whether its requests may carry cookies; not with origins = *." },
    { DURATION(cors, max_age, "0", "24h"), .initial = "10m",
      .why = "How long a browser may remember what it was told of these." },

    { NUMBER(rate_limit, requests, "0", "1000000000"), .initial = "0",
      .why = "Of one client, an address or a /64 of IPv6, in a window, all at once or evenly; 0: no limit." },
    { DURATION(rate_limit, window, "1s", "24h"), .initial = "1m",
      .why = "After so long it may ask as often again." },
    { NUMBER(rate_limit, clients, "64", "100000000"), .initial = "65536",
      .why = "That are remembered, 16 bytes each; of more, those who have asked least are forgotten." },

    { SIZE(websocket, message, "1KiB", "1GiB"), LIVE, .initial = "1MiB",
      .why = "Bytes of a message from a client, which is kept in memory; a larger one closes with 1009." },
    { DURATION(websocket, ping, "1ms", "24h"), LIVE, .initial = "30s",
      .why = "How long a client may be silent before it is pinged; after as long again it is gone." },
    { TEXTUAL(SETTING_TEXT, websocket, origins), LIVE, .initial = "none",
      .why = "Other sites whose pages may connect: https://one.example, https://two.example; or *, or none." },
    { SWITCH(websocket, compression), LIVE, .initial = "off",
      .why = "Whether messages are compressed for clients that offer it (permessage-deflate)." },

    { NUMBER(topics, keep, "1", "1000000"), .initial = "256",
      .why = "Messages of one topic that are kept for slow readers, and for those who come again." },
    { SIZE(topics, bytes, "64KiB", "1024GiB"), .initial = "64MiB",
      .why = "Bytes of the messages kept of all topics together: each may keep as much as is left." },
    { NUMBER(topics, most, "1", "1000000"), .initial = "10000",
      .why = "Topics; for a new one the longest idle is forgotten; when all are in use, a new one gets 503." },

    { DURATION(outbox, poll, "1ms", "1h"), .initial = "100ms",
      .why = "How often it is asked what is new where nothing tells: behind a pooler ([database] prepare = off)." },
    { NUMBER(outbox, keep, "0", "1000000000"), .initial = "100000",
      .why = "Rows, of the newest, that are kept for those who come again; 0: all." },
    { DURATION(outbox, keep_for, "0", "8760h"), .initial = "24h",
      .why = "How long a row is kept at most, but for the newest; 0: for ever." },

    { DURATION(events, heartbeat, "1ms", "24h"), LIVE, .initial = "15s",
      .why = "When nothing has been sent for so long, a comment is, by which a client that is gone is noticed." },
    { DURATION(events, retry, "1ms", "24h"), LIVE, .initial = "3s",
      .why = "After which a client that has lost its connection shall come back; later, when the server stops." },

    { NUMBER(threads, pool, "1", "1024"), .initial = "auto", .automatic = auto_pool,
      .why = "Threads of the pool, shared by all workers; auto: one for each processor, at least 4." },
    { NUMBER(threads, running, "1", "1024"), .initial = "auto", .automatic = auto_running,
      .why = "Jobs that compute at once, for each worker; auto: one for each processor." },
    { NUMBER(threads, waiting, "0", "1000000"), .initial = "1024",
      .why = "Jobs in line, for each worker; more get 503." },
    { DURATION(threads, target, "0", "1h"), .initial = "1s",
      .why = "How long jobs, and files, may wait in line while more come than can be done, then 503; 0: any time." },
    { NUMBER(threads, max, "1", "1000000"), .initial = "auto", .automatic = auto_threads,
      .why = "In threads mode: of connections; more get 503; auto: as many as may be and the machine allows." },
    { SIZE(threads, stack, "128KiB", "64MiB"), .initial = "1MiB",
      .why = "In threads mode: of one thread; only what it touches takes memory." },

    { CHOICE(rendering, where, int, PLACES), .initial = "auto",
      .why = "loop; pool; or auto: each page on the loop if, by what others like it took, it will be short enough." },
    { NUMBER(rendering, microseconds, "0", "1000000"), .initial = "150",
      .why = "How long that is. The way to the pool and back takes some 20; beyond 150 little is saved." },

    { SIZE(tasks, stack, "16KiB", "8MiB"), .initial = "64KiB",
      .why = "Of one task, in whole pages; only what a task touches takes memory." },

    { TEXTUAL(SETTING_TEXT, files, root), .initial = "auto", .automatic_text = auto_static_folder,
      .why = "The folder behind /static/; auto: the one that was installed, or built, with this tenk, else static." },

    { SWITCH(patterns, enabled), .initial = "auto", .automatic = auto_gallery,
      .why = "Some of it blocks a loop, to show what that does; auto: on if only this machine can reach it." },
    { TEXTUAL(SETTING_URL, patterns, replica), .initial = "none",
      .why = "A URL as [database] url has, against which the database races; none: the same database once more." },
    { DURATION(patterns, timeout, "100ms", "1m"), .initial = "2500ms",
      .why = "How long one may run on a loop before it is stopped; a slow or busy machine may need more." },

    { SWITCH(boards, enabled), .initial = "auto", .automatic = auto_local,
      .why = "A stranger's GET /updates writes 500 rows; auto: on if only this machine can reach it." },
    { TEXTUAL(SETTING_TEXT, boards, dataset), .initial = "built-in",
      .why = "The file with the items of /json/COUNT, in HttpArena's form; or the one that is built in." },

    { DURATION(health, grace, "0", "24h"), .initial = "10s",
      .why = "How long the database may be away before it is 503; a restart of it need not stop all servers." },

    { TEXTUAL(SETTING_ENDPOINTS, admin, listen), .initial = CONFIG_NONE,
      .why = "As [server] listen, for /metrics, /stats, /readyz, /requests, and switches alone; none: nowhere." },
    { SWITCH(admin, public), .initial = "auto", .automatic = auto_local,
      .why = "Whether [server] listen has them, too; auto: on if only this machine can reach it." },

    { CHOICE(log, level, int, LEVELS), LIVE, .initial = "info",
      .why = "error, warning, info or debug; each includes those before it." },
    { CHOICE(log, access, int, ACCESS_FORMATS), LIVE, .initial = "off",
      .why = "A line for each request: combined, as Apache and nginx write it, and more; json; or off." },
    { TEXTUAL(SETTING_TEXT, log, access_to), LIVE, .initial = "stderr",
      .why = "Where it goes: a file, which SIGHUP opens again; stderr; stdout; or syslog, or syslog:SOCKET." },
    { SWITCH(log, request_id), .initial = "off",
      .why = "Whether each answer has X-Request-Id, the request's own or one made for it; off: if the log has it." },
    { SIZE(log, recorder, "0", "1GiB"), .initial = "1MiB",
      .why = "For what each loop did last, for tenk record: 32 bytes each; one for all in threads mode; 0: none." },
    { TEXTUAL(SETTING_TEXT, log, recordings), .initial = ".",
      .why = "The folder to which it is written, and drawn, on SIGUSR1 or for a slow request: ten files of each." },
    { DURATION(log, slow_request, "0", "1h"), LIVE, .initial = "0",
      .why = "A request that took longer has that written, once a minute at most; 0: none does." },
    { DURATION(log, slow_callback, "0", "1h"), .initial = "25ms",
      .why = "A callback that keeps a loop for longer is logged, with where it is; 0: none is." },

    { TEXTUAL(SETTING_TEXT, traces, endpoint), LIVE, .initial = "none",
      .why = "Where they go, by OTLP as JSON: http://127.0.0.1:4318/v1/traces, say; or none." },
    { RATIO(traces, sample), LIVE, .initial = "0.01",
      .why = "The part of all requests that is traced, 0 to 1; of those that come with a traceparent it decides." },
    { TEXTUAL(SETTING_TEXT, traces, service), LIVE, .initial = "tenk",
      .why = "What they call this server: service.name." },
};
const int SETTING_COUNT = sizeof SETTINGS / sizeof *SETTINGS;

bool setting_section_known(const char *name)
{
    for (int i = 0; i < SETTING_SECTION_COUNT; i++)
        if (strcmp(SETTING_SECTIONS[i].name, name) == 0)
            return true;
    return false;
}

const setting *setting_find(const char *section, const char *key)
{
    for (const setting *s = SETTINGS; s < SETTINGS + SETTING_COUNT; s++)
        if (strcmp(s->section, section) == 0 && strcmp(s->key, key) == 0)
            return s;
    return NULL;
}
