/* recorded.h - one run of a pattern as its JSON has it: what began, waited, ended and was marked, and when. */
#ifndef TESTS_RECORDED_H
#define TESTS_RECORDED_H

#include "json.h"

#include <check.h>
#include <stdbool.h>

enum { MOST_TRACKS = 1024 };                 /* of one run */

/* Of the tracks of one name: when the last began, when the first ended, and so on. */
typedef struct tracks { int count, succeeded, cancelled; int64_t first_begin, last_begin, first_end, last_end; } tracks;

/* A theme of s whose tests share a server, on SQLite or on PostgreSQL. */
TCase *recorded_theme(Suite *s, bool postgres);
extern bool postgres_here;                   /* on which one the test that runs is */

/* "race?slow=primary"; the caller's; NULL if it does not run here, and says why. run_of runs it again where the machine was too
 * busy for it: it was refused, or not over within the time that a run has. */
json_t *run_of(const char *name);
json_t *run_once(const char *name);
bool    run_was_too_busy(const json_t *run);
json_t *twin_of(json_t *run, int which);     /* of a pitfall's run: its first or second recording; run's own */
int64_t figure(const json_t *run, const char *name);
bool    is(const json_t *event, const char *key, const char *value);
tracks  tracks_called(const json_t *run, const char *name);

/* Of the waits of these tracks whose reason begins so: how long they were, in microseconds. */
typedef struct waits { int count; int64_t shortest, longest; } waits;
waits waits_of(const json_t *run, const char *track_name, const char *reason);

int64_t most_of(const json_t *run, const char *value_name);  /* -1 if it has none */
int64_t sum_of(const json_t *run, const char *value_name);   /* of all that it was */
int64_t mark_at(const json_t *run, const char *name);        /* when the first of that name was made; -1: none was */
bool    has_mark(const json_t *run, const char *name);

#endif
