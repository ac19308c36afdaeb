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

json_t *run_of(const char *name);            /* the caller's; NULL if this server says that it does not run here */
int64_t figure(const json_t *run, const char *name);
bool    is(const json_t *event, const char *key, const char *value);
tracks  tracks_called(const json_t *run, const char *name);
int64_t most_of(const json_t *run, const char *value_name);  /* -1 if it has none */
bool    has_mark(const json_t *run, const char *name);

#endif
