/* recorded.c - see recorded.h. */
#include "recorded.h"

#include "tests/scenarios/scenarios.h"

#include <stdio.h>
#include <string.h>

enum { CANCELLED = -125 };

bool postgres_here;

static void on_sqlite(void)
{
    postgres_here = false;
    server_start("recorded-sqlite", "TENK_DATABASE_READERS=4", NULL);
}

static void on_postgres(void)
{
    postgres_here = true;
    server_start_on_postgres("recorded-postgres", NULL);
}

TCase *recorded_theme(Suite *s, bool postgres)
{
    TCase *t = postgres ? theme(s, "recorded-postgres", on_postgres) : theme(s, "recorded-sqlite", on_sqlite);
    tcase_set_timeout(t, 30);
    return t;
}

json_t *run_of(const char *name)
{
    char path[128];
    snprintf(path, sizeof path, "/patterns/%s", name);
    json_t *run = json_in(get_as(path, "application/json"), 200);
    ck_assert_str_eq(json_string_value(json_object_get(run, "pattern")), name);
    ck_assert_str_eq(json_string_value(json_object_get(run, "mode")), in_threads_mode() ? "threads" : "async");
    if (json_is_true(json_object_get(run, "ran")))
        return run;
    const char *why = json_string_value(json_object_get(run, "why"));
    ck_assert_msg(why && strlen(why) > 20, "%s does not run, and does not say why", name);
    json_decref(run);
    return NULL;
}

int64_t figure(const json_t *run, const char *name)
{
    return number_of(json_object_get(json_object_get(run, "figures"), name), "value");
}

bool is(const json_t *event, const char *key, const char *value)
{
    const char *found = json_string_value(json_object_get(event, key));
    return found && strcmp(found, value) == 0;
}

tracks tracks_called(const json_t *run, const char *name)
{
    tracks t = { 0 };
    bool of_these[MOST_TRACKS] = { false };
    size_t i;
    json_t *e;
    int ends = 0;

    json_array_foreach(json_object_get(run, "events"), i, e) {
        const int64_t track = number_of(e, "track"), at = number_of(e, "at");
        if (is(e, "kind", "begin") && is(e, "name", name)) {
            of_these[track] = true;
            if (t.count++ == 0)
                t.first_begin = at;
            t.last_begin = at;
        } else if (is(e, "kind", "end") && of_these[track]) {
            const int64_t outcome = number_of(e, "outcome");
            if (ends++ == 0)
                t.first_end = at;
            t.last_end = at;
            t.succeeded += outcome == 0;
            t.cancelled += outcome == CANCELLED;
        }
    }
    return t;
}

int64_t most_of(const json_t *run, const char *value_name)
{
    int64_t most = -1;
    size_t i;
    json_t *e;
    json_array_foreach(json_object_get(run, "events"), i, e)
        if (is(e, "kind", "value") && is(e, "name", value_name) && number_of(e, "value") > most)
            most = number_of(e, "value");
    return most;
}

bool has_mark(const json_t *run, const char *name)
{
    size_t i;
    json_t *e;
    json_array_foreach(json_object_get(run, "events"), i, e)
        if (is(e, "kind", "mark") && is(e, "name", name))
            return true;
    return false;
}
