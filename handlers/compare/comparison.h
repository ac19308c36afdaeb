/* comparison.h - one run after the other in which both modes serve the same load, and what came of the last.
 *
 * A run has turns: async, threads, threads, async. In a turn one mode alone has the load, while the other serves whoever else
 * comes: side by side on a few processors each would take the other's time, and its figures would be of both. So memory is
 * told apart, too, and what drifts meanwhile falls on both. A turn:
 *
 *     opening      as many connections as asked for are opened, each with its request
 *     measuring    as long as was asked for: what is sent, and answered, counts
 *     leaving      the connections are closed, and the server ends what it held
 *
 * The second server is opened for the first run, unless it was opened at the start (second_server.h).
 *
 *   Figures.   Processor time is the process's, without the threads of the load and of the measuring; in a turn of threads also
 *              without the loops. Stacks are counted (account.h). "rest" is what the process's memory has grown by since the
 *              turn began, without the stacks.
 *   Live.      Each sample, and that the run has ended, is published on the topic COMPARISON_TOPIC: the events "sample" and
 *              "state".
 *   Bounds.    One run at a time, of at most COMPARISON_MOST requests and some twenty seconds, if it measures as long as
 *              usual; fewer where the limit of open files
 *              leaves less: each connection takes two. A server that stops ends it.
 *   Threads.   All of it is for any thread, but configure and end, which are main's. */
#ifndef COMPARE_COMPARISON_H
#define COMPARE_COMPARISON_H

#include "server/base/buffer.h"
#include "server/http/second_server.h"
#include "verdict.h"

#include <stdbool.h>

#define COMPARISON_TOPIC "compare/run"

enum {
    COMPARISON_LEAST = 10, COMPARISON_MOST = 10000, COMPARISON_USUAL = 1000,         /* requests at once */
    COMPARISON_SHORTEST = 100, COMPARISON_LONGEST = 10000, COMPARISON_MEASURES = 2500,       /* ms of a turn; the usual */
    COMPARISON_TURNS = 4, COMPARISON_SAMPLES = 256, COMPARISON_WHY = 400,
};

typedef enum load_kind { LOAD_WAITING, LOAD_DATABASE, LOAD_CPU, LOAD_MIXED, LOADS } load_kind;

typedef struct load_about { const char *name, *title, *what; } load_about;   /* name: of a form's field, and in JSON */
extern const load_about LOADS_ABOUT[LOADS];
load_kind load_named(text name);             /* LOADS: there is none */

typedef enum comparison_state { COMPARISON_NONE, COMPARISON_RUNNING, COMPARISON_DONE, COMPARISON_FAILED } comparison_state;

typedef struct sample {
    uint32_t at_ms;                          /* since the run began */
    int      turn, mode;
    bool     measures;
    int      open, held, threads;            /* threads: of that mode */
    double   per_second, cpu_percent;        /* since the last one */
    uint64_t refused, failed;                /* of this turn's measuring */
    double   p50_ms, p99_ms;                 /* the same; beyond what the requests ask the server to wait */
    size_t   stacks, kernel_stacks, rest;    /* bytes, as of figures */
} sample;

typedef struct comparison {
    comparison_state state;
    unsigned  number;                        /* of runs, from 1 */
    load_kind kind;
    int       measures_ms;                   /* in each turn */
    int       asked, connections;            /* requests at once: asked for, and that there is room for */
    char      why[COMPARISON_WHY];           /* it failed, or is smaller than was asked for; or "" */
    char      address[MODES][128];           /* "http://127.0.0.1:8080"; "": it was not open */
    figures   of[MODES];
    int       samples;
    sample    sample[COMPARISON_SAMPLES];
} comparison;

/* Before the server runs. Until then, or without a second server, no run can be started. */
void comparison_configure(second_server *s, const config *c);
void comparison_end(void);                   /* when the servers have ended: waits for a run that goes on */

/* Starts a run: 0; UV_EBUSY: one goes on; UV_ESHUTDOWN: the server stops; UV_ENOTSUP: there is no second server; or another
 * error, of a thread that cannot be started. */
int  comparison_start(load_kind kind, int requests, int measures_ms);
void comparison_look(comparison *c);         /* a copy */

/* As JSON; a sample in one line, as it is published. */
void comparison_write_json(buffer *b, const comparison *c);
void comparison_write_sample(buffer *b, const sample *s);

#endif
