/* pattern.h - what every file in this folder is made of: a pattern that runs, is recorded, and is shown.
 *
 *     SHOW_FROM(race)
 *     static async int run_race(run *r) { ... }            what a reader of /patterns/race sees, and what runs
 *     SHOW_TO(race)
 *
 *     const pattern PATTERN_RACE = { .name = "race", ..., .await = run_race, SOURCE_OF(race) };
 *
 * and a line in gallery.c. The file is in the program, by .incbin, with the very lines that were compiled.
 * A pattern comes in one of the three stages of handlers, and is over within two seconds. Its tasks
 * are recorded by themselves; step, mark and plot record the rest. */
#ifndef PATTERN_H
#define PATTERN_H

#include "handlers/site.h"
#include "server/async/combine.h"
#include "server/async/task.h"
#include "server/executor/thread_pool.h"
#include "server/async/timing.h"
#include "server/async/trace.h"
#include "server/base/embed.h"

typedef struct figure {                      /* a number that a run is about: "at once, at most: 10 fetches" */
    const char *name, *unit;
    int64_t     value;
} figure;

enum { RUN_FIGURES = 16 };

typedef struct run {                         /* one run of a pattern */
    request *req;                            /* whose database and arena it uses */
    track   *root;
    figure   figures[RUN_FIGURES];
    int      figure_count;
    int      chosen;                         /* of the pattern's choices */
    text     output;                         /* HTML that it has made, which is shown; or none */
} run;

/* What a visitor may choose before a run: ?fail=query. The first is what a run without it has. */
typedef struct choice { const char *value, *label; } choice;
typedef struct choices {
    const char *key, *label;
    choice      of[6];                       /* as many as have a value */
} choices;

typedef enum group {
    GROUP_WRITTEN, GROUP_TOGETHER, GROUP_MANY, GROUP_OFF_LOOP, GROUP_BOUNDS, GROUP_REAL_TIME, GROUP_LOOP, GROUP_PITFALLS,
    GROUP_COUNT,
} group;

typedef struct pattern {
    const char *name;                        /* in the address; of a twin: in JSON */
    const char *title;
    const char *shows;                       /* a few sentences */
    group       group;

    int       (*await)(run *r);              /* one of these three, or twins: 0 or a negative error */
    promise  *(*promise)(run *r);
    void      (*callback)(run *r, void (*done)(int err, void *arg), void *arg);

    const char *not_in_threads;              /* why it does not run in threads mode; NULL: it does */
    bool        heavy;                       /* of these the process runs one at a time */
    bool        visited;                     /* somebody else asks for something meanwhile (visitor.h) */
    bool        in_order;                    /* drawn by the order of its marks, not by time */
    const struct pattern *twins[2];          /* a pitfall is two, which run one after the other, and has nothing else to run */
    const choices *choices;                  /* or NULL */

    const char *file, *source;               /* the file's path and all of it */
    int         first, last;                 /* the lines that are shown */
} pattern;

#define SHOW_FROM(name) EMBED(source_##name, __FILE__); enum { first_##name = __LINE__ + 1 };
#define SHOW_TO(name)   enum { last_##name = __LINE__ - 1 };
#define SOURCE_OF(name) .file = __FILE__, .source = source_##name, .first = first_##name, .last = last_##name

/* A file of which nothing is shown defines this as 0, before it includes this. */
#ifndef PATTERN_LINE
#define PATTERN_LINE __LINE__
#endif

/* Here an await tells the recording what it waits for, in the words of the source. */
#define await(...) (track_expects(#__VA_ARGS__, PATTERN_LINE), (await)(__VA_ARGS__))

/* step(r, name, p) is the promise p of work that has no task of its own, recorded from before it was started
 * until it settles. What starts it may have steps within it, but does not await. */
#define step(r, name, ...) (step_begins(r, name, PATTERN_LINE), step_ends_with(__VA_ARGS__))

void step_begins(run *r, const char *name, int line);
MUST_AWAIT promise *step_ends_with(promise *p);

track *run_track(const run *r);              /* of the task that runs here, or of the whole run */
void  *run_alloc(run *r, size_t size);       /* zeroed; lives as long as the run */
#define mark(r, what) run_mark(r, what, PATTERN_LINE)        /* it happened now */
void   run_mark(run *r, const char *what, int line);
void   plot(run *r, const char *name, int64_t value);        /* it is so much from now on */
void   figure_is(run *r, const char *name, int64_t value, const char *unit);

text run_topic(run *r);                      /* the name of one that no other run uses meanwhile */
const char *own_address(run *r, const char *path);           /* this server's, for want of another */

/* A query that takes about so long: PostgreSQL sleeps, SQLite counts. */
MUST_AWAIT promise *slow_query(run *r, int ms);

/* What one should not do on a loop, for so many milliseconds. */
void block_for(int ms);                      /* a thread that sleeps */
void spin_for(int ms);                       /* a thread that computes */

#endif
