/* server.h - the built server as a process: started with any settings, watched, and stopped.
 *
 *   server_start("routes", "TENK_LIMITS_BODY=4KiB", "--workers", "2", NULL);
 *
 * Words that begin with a capital and have a '=' are its environment, the others its arguments.
 * Unless the words say otherwise it gets a folder of its own with a copy of a seeded database, in which the first
 * thousand users have posts, one worker, and a free port; nothing of the tests' own environment but the sanitizers'
 * options reaches it.
 * What it prints goes to a file, shown if a test of that name fails. It dies with the process that started it. */
#ifndef TESTS_SERVER_H
#define TESTS_SERVER_H

#include "tests/support/granted.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

typedef struct server {
    pid_t pid;                               /* 0 when there is none */
    int   port;
    char  folder[128];                       /* its working folder: tenk.db and log are in it */
} server;

extern server here;                          /* the one that was started last: clients connect to it */

/* Once in the program: finds the server (TENK, else build/tenk), makes the folder of the run, the
 * files to serve and the seeded database. */
void run_begin(void);
void run_end(void);                          /* removes that folder */
const char *run_folder(void);
const char *run_binary(void);
bool in_threads_mode(void);                  /* MODE=threads: every server is started so, unless its words say otherwise */
bool run_slowed(void);                       /* by a sanitizer or valgrind: be patient, and count less */
int  scaled(int count);                      /* count, or a quarter of it where the server is slowed */
int  most_connections(int wanted);            /* or what this process may open, if that is less */
void run_show_logs(const char *name);        /* the last lines of what the servers of that name printed */

void server_start(const char *name, ...) __attribute__((sentinel));
void server_start_on_postgres(const char *name, ...) __attribute__((sentinel));
void server_signal(int signal);
int  server_wait(void);                      /* until it ends: its exit code, or 128 + the signal it died of */
void server_stop(void);                      /* SIGTERM; it must exit 0 and no sanitizer may have spoken */
void server_kill(void);                      /* SIGKILL */
bool server_running(void);
int  server_second_port(void);               /* of the one that --compare adds; 0 without it */
bool server_log_has(const char *text);       /* has it printed this by now? */
bool server_file_has(const server *s, const char *file, const char *text);   /* the same of a file in its folder */
bool server_says(const char *text);          /* soon: a thread of its own writes the log */
long server_resident(void);                  /* bytes */
int  server_descriptors(void);               /* that are open, but for those of an SQLite file */

/* For unchecked fixtures, whose failures Check does not count: stops, and remembers if that went wrong. */
void server_fixture_stop(void);
extern int server_fixture_failures;

/* Runs it to its end. Returns the exit code; everything it printed is in output. */
int tenk_run(char *output, size_t size, ...) __attribute__((sentinel));

/* The postgresql:// URL of a private cluster with tenk's data; starts and seeds it when first asked. */
const char *postgres_url(void);

void   pause_ms(int ms);                     /* between two looks at something that will change */

/* Looks until condition holds or seconds have passed, of those that this machine granted; its value is whether it came to
 * hold. */
#define eventually(seconds, condition) ({                                 \
    const double end_ = granted_s() + (seconds) * (run_slowed() ? 4 : 1); \
    bool held_;                                                           \
    while (!(held_ = (condition)) && granted_s() < end_)                  \
        pause_ms(2);                                                      \
    held_; })

#endif
