/* config.h - every setting there is, as it is now: what config_load.h has read.
 *
 * The table of all settings, with their names, types and defaults, is in settings.c.
 *
 *   Ownership.  All text in a config belongs to it and lives until config_free.
 *   Threads.    Only read once it is loaded. While tenk runs another may take its place (config_reload.h), which differs in
 *   what is
 *               live only; who reads what is live reads it anew each time (server_reconfigure). */
#ifndef CONFIG_H
#define CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum mode { MODE_ASYNC, MODE_THREADS } mode;

#define CONFIG_NONE      "none"              /* of admin.listen: at no address; of server.trusted_proxies: nobody */
#define CONFIG_ON_DEMAND "auto"              /* of server.compare: when it is first asked for, at any free port of loopback */

typedef struct config {
    struct {
        char *listen;                        /* a list of endpoint.h's; 127.0.0.1:8080 */
        mode  mode;
        char *compare;                       /* HOST:PORT where the other mode is served too; auto: see CONFIG_ON_DEMAND */
        char *trusted_proxies;               /* a list of network_list.h's, or none; none */
        int   forwarded;                     /* x-forwarded, forwarded; x-forwarded */
        int   workers;                       /* loops; auto: one a processor. In threads mode it only multiplies
                                                what is there for each worker, so that both modes have the same */
        char *handover;                      /* the path of a socket, or none; none */
        char *pid_file;                      /* a path, or none; none */
        char *user;                          /* a name or a number, or none; none */
        bool  seccomp;                       /* off */
    } server;
    struct {
        size_t head;                         /* bytes of request line and headers; 16KiB */
        int    headers;                      /* how many; 100 */
        size_t uri;                          /* bytes of the request target; 8KiB */
        size_t body;                         /* bytes of a request's body; 1MiB */
        int    connections;                  /* open at once, for each worker; auto: what RLIMIT_NOFILE allows */
        int    pipeline;                     /* requests of one connection under way at once; 32 */
        size_t output;                       /* bytes of answers that wait for a slow reader; 1MiB */
        size_t outputs;                      /* for all slow readers of a worker together; 64MiB */
    } limits;
    struct {
        uint64_t head;                       /* milliseconds for the whole head; 10s */
        uint64_t body;                       /* for a body to arrive, beside body_rate; 30s */
        uint64_t idle;                       /* between requests; 75s */
        uint64_t write;                      /* for a reader to take anything at all; 30s */
        uint64_t request;                    /* to answer a request; 0 for none; 30s */
        uint64_t drain;                      /* to finish what is under way when stopping; 10s */
        uint64_t drain_delay;                /* before that: ready no more, but serving; 0 */
    } timeouts;
    struct {
        char    *origins;                    /* a list, * or none; none */
        char    *methods, *headers;          /* lists; GET, HEAD, POST and Content-Type */
        bool     credentials;                /* off */
        uint64_t max_age;                    /* milliseconds; 10m */
    } cors;
    struct {
        int      requests;                   /* of one client in a window; 0: any; 0 */
        uint64_t window;                     /* milliseconds; 1m */
        int      clients;                    /* that are remembered; 65536 */
    } rate_limit;
    struct {
        size_t   message;                    /* bytes of one; 1MiB */
        uint64_t ping;                       /* milliseconds of silence; 30s */
        char    *origins;                    /* a list, * or none; none */
        bool     compression;                /* off */
    } websocket;
    struct {
        int    keep;                         /* messages of one; 256 */
        size_t bytes;                        /* of all messages kept; 64MiB */
        int    most;                         /* topics; 10000 */
    } topics;
    struct {
        uint64_t poll;                       /* milliseconds; 100ms */
        int      keep;                       /* rows; 100000 */
        uint64_t keep_for;                   /* milliseconds; 24h */
    } outbox;
    struct {
        uint64_t heartbeat;                  /* milliseconds without an event; 15s */
        uint64_t retry;                      /* after which a client comes back; 3s */
    } events;
    struct {
        char    *url;                        /* sqlite:tenk.db; a secret may be in it */
        int      connections;                /* to PostgreSQL, for each worker; 4 */
        int      pipeline_depth;             /* 32 */
        int      readers;                    /* SQLite's reading threads; auto: one a processor */
        size_t   cache;                      /* bytes of its file that all of them keep in memory; 128MiB */
        int      line;                       /* requests that may wait, for each worker; auto: limits.connections */
        uint64_t target;                     /* for how long, while more come than can be served; 200ms */
        uint64_t timeout;                    /* of one query; 5s */
        uint64_t line_timeout;               /* 2s */
        uint64_t connect_timeout;            /* 5s */
        bool     prepare;                    /* on */
        bool     comment;                    /* off */
    } database;
    struct {
        int      connections;                /* requests to other servers at once, for each worker; 16 */
        int      line;                       /* those that may wait, for each worker; 1024 */
        uint64_t target;                     /* for how long, while more come than can be made; 1s */
        uint64_t timeout;                    /* of one, its wait included; 10s */
        uint64_t connect_timeout;            /* 2s */
        size_t   size;                       /* bytes of an answer's body; 1MiB */
    } outgoing;
    struct {
        int      pool;                       /* worker processes for each worker; auto: processors, shared out */
        int      line;                       /* jobs that may wait for one, for each worker; 64 */
        uint64_t target;                     /* for how long, while more come than can be done; 2s */
        int      jobs;                       /* after which a process is replaced; 1000 */
        size_t   memory;                     /* that one may take, beyond what it starts with; 256MiB */
        uint64_t timeout;                    /* of one job, its wait included; 10s */
    } processes;
    struct {
        int pool;                            /* threads of libuv's pool; auto: processors, at least 4 */
        int running;                         /* CPU jobs at once, for each worker; auto: processors */
        int waiting;                         /* CPU jobs that wait, for each worker; 1024 */
        uint64_t target;                     /* for how long, while more come than can be done; 1s */
        int    max;                          /* of threads mode: connections; auto: limits.connections of all
                                                workers, or what the machine allows */
        size_t stack;                        /* of each of those; 1MiB */
    } threads;
    struct {
        int where;                           /* auto, loop, pool (workload.h); auto */
        int microseconds;                    /* of auto: so long a page may keep its loop; 150 */
    } rendering;
    struct {
        size_t stack;                        /* of a task; 64KiB */
    } tasks;
    struct {
        char *root;                          /* the folder behind /static/; auto: share/tenk/static, or static */
    } files;
    struct {
        bool enabled;                        /* GET /patterns, and ?render=; auto: if it listens on a loopback address */
        char *replica;                       /* a URL as [database] url, or none */
        uint64_t timeout;                    /* of a run, on a loop; 2500ms */
    } patterns;
    struct {
        bool enabled;                        /* the routes of handlers/boards/; auto: as those of patterns */
        char *dataset;                       /* a file; built-in */
    } boards;
    struct {
        uint64_t grace;                      /* milliseconds; 10s */
    } health;
    struct {
        char *listen;                        /* a list of endpoint.h's; CONFIG_NONE */
        bool  public;                        /* what is there is at server.listen, too; auto: if only this machine reaches it */
    } admin;
    struct {
        int      level;                      /* error, warning, info, debug (log.h); info */
        int      access;                     /* off, combined, json (access_log.h); off */
        char    *access_to;                  /* stderr, stdout, syslog, syslog:PATH, or a file's path; stderr */
        bool     request_id;                 /* off */
        size_t   recorder;                   /* bytes for what each loop did last; 0: none; 1MiB */
        char    *recordings;                 /* the folder for what is recorded, when it is written down; . */
        uint64_t slow_request;               /* milliseconds after which that is done; 0: for no request; 0 */
        uint64_t slow_callback;              /* milliseconds that one may keep a loop busy; 0: any; 25ms */
    } log;
    struct {
        char  *endpoint;                     /* a URL, or none; none */
        double sample;                       /* 0 to 1; 0.01 */
        char  *service;                      /* tenk */
    } traces;
    struct config_origin *origins;           /* what each setting was given as, and where */
} config;

/* Do none but this machine's own programs reach the site? Whoever trusts a proxy has clients elsewhere. */
bool config_is_local(const config *c);

#endif
