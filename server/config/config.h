/* config.h - every setting there is: where it came from, what it is now.
 *
 * A flag beats the environment, which beats config.ini, which beats the default. The environment
 * has PORT, HOST, DATABASE_URL and WEB_CONCURRENCY, and TENK_SECTION_KEY for every key
 * (TENK_LIMITS_BODY), which beats those four. PORT and HOST change only their part of server.listen.
 * An empty variable is as good as none; an unknown one that begins with TENK_ is an error.
 * Values: whole numbers; durations 250ms 30s 5m 1h; sizes 512 64KiB 1MiB 1GiB; on off true false
 * yes no. The table of all settings is in settings.c; config.ini in the repository shows every key
 * with its default, and a test keeps the two equal.
 *
 *   config c;
 *   if (config_load(&c, &sources, stderr))
 *       return EXIT_CONFIG;                 the errors are on stderr, one a line
 *   ...
 *   config_free(&c);
 *
 *   Ownership.  All text in a config belongs to it and lives until config_free.
 *   Threads.    Loaded once, before any other thread runs; only read from then on. */
#ifndef CONFIG_H
#define CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef enum mode { MODE_ASYNC, MODE_THREADS } mode;

typedef struct config {
    struct {
        char *listen;                        /* HOST:PORT or [V6]:PORT; 127.0.0.1:8080 */
        mode  mode;
        int   workers;                       /* loops; auto: one a processor. In threads mode it only multiplies
                                                what is there for each worker, so that both modes have the same */
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
    } timeouts;
    struct {
        char    *url;                        /* sqlite:tenk.db; a secret may be in it */
        int      connections;                /* to PostgreSQL, for each worker; 4 */
        int      pipeline_depth;             /* 32 */
        int      readers;                    /* SQLite's reading threads; auto: one a processor */
        int      line;                       /* requests that may wait, for each worker; auto: limits.connections */
        uint64_t target;                     /* for how long, while more come than can be served; 200ms */
        uint64_t timeout;                    /* of one query; 5s */
        uint64_t line_timeout;               /* 2s */
        uint64_t connect_timeout;            /* 5s */
        bool     prepare;                    /* on */
    } database;
    struct {
        int      connections;                /* requests to other servers at once, for each worker; 16 */
        int      line;                       /* those that may wait, for each worker; 1024 */
        uint64_t target;                     /* for how long, while more come than can be made; 1s */
        uint64_t timeout;                    /* of one, its time in line included; 10s */
        uint64_t connect_timeout;            /* 2s */
        size_t   size;                       /* bytes of an answer's body; 1MiB */
    } outgoing;
    struct {
        int      pool;                       /* worker processes for each worker; auto: processors, shared out */
        int      line;                       /* jobs that may wait for one, for each worker; 64 */
        uint64_t target;                     /* for how long, while more come than can be done; 2s */
        int      jobs;                       /* after which a process is replaced; 1000 */
        size_t   memory;                     /* that one may take, beyond what it starts with; 256MiB */
        uint64_t timeout;                    /* of one job, its time in line included; 10s */
    } processes;
    struct {
        int pool;                            /* threads of libuv's pool; auto: processors, at least 4 */
        int running;                         /* CPU jobs at once, for each worker; auto: processors */
        int waiting;                         /* CPU jobs in line, for each worker; 1024 */
        uint64_t target;                     /* for how long, while more come than can be done; 1s */
        int    max;                          /* of threads mode: connections; auto: limits.connections of all workers, or what the machine allows */
        size_t stack;                        /* of each of those; 1MiB */
    } threads;
    struct {
        size_t stack;                        /* of a task; 64KiB */
    } tasks;
    struct {
        char *root;                          /* the folder behind /static/; auto: share/tenk/static, or static */
    } files;
    struct {
        bool enabled;                        /* GET /patterns, and ?render=; auto: if it listens on a loopback address */
    } patterns;
    struct {
        int      level;                      /* error, warning, info, debug (log.h); info */
        uint64_t slow_callback;              /* milliseconds that one may keep a loop busy; 0: any; 100ms */
    } log;
    struct config_origin *origins;           /* what each setting was given as, and where */
} config;

/* A setting on the command line. */
typedef struct config_flag {
    const char *name;                        /* --listen */
    const char *section, *key;               /* server, listen */
    const char *value;
} config_flag;

enum { CONFIG_FLAGS = 8 };                   /* as many settings have a flag, at most */

/* All of it must outlive config_load only. */
typedef struct config_sources {
    const char  *file;                       /* must exist; NULL: config.ini, if there is one */
    char *const *environment;                /* environ, or NULL for none */
    config_flag  flags[CONFIG_FLAGS];        /* the later of two for one setting wins */
    int          flag_count;
} config_sources;

/* 0, or UV_EINVAL after a line on errors for everything wrong in any of the sources, even for a
 * value that a better source replaces: "config.ini:12: [limits] body: '12x' is not a size (...)".
 * Of lines that are neither [section] nor key = value only the first is named. No line shows a
 * secret. On an error *c is untouched. */
int  config_load(config *c, const config_sources *sources, FILE *errors);
void config_free(config *c);

/* Writes all settings as a config.ini that loads as the same config (but for secrets, which are
 * masked), each with where it came from in a comment; what auto has become is there too. */
void config_print(const config *c, FILE *out);

#endif
