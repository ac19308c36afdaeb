/* recorded.c - see recorded.h. */
#include "recorded.h"

#include "server/base/overload/refusal.h"
#include "tests/scenarios/scenarios.h"

#include <stdio.h>
#include <string.h>
#include <uv.h>

enum { CANCELLED = -125 };

bool postgres_here;

static void on_sqlite(void)
{
    postgres_here = false;
    server_start("recorded-sqlite", "TENK_DATABASE_READERS=4", "TENK_THREADS_RUNNING=2", NULL);
}

static void on_postgres(void)
{
    postgres_here = true;
    server_start_on_postgres("recorded-postgres", "TENK_THREADS_RUNNING=2", NULL);
}

TCase *recorded_theme(Suite *s, bool postgres)
{
    TCase *t = postgres ? theme(s, "recorded-postgres", on_postgres) : theme(s, "recorded-sqlite", on_sqlite);
    return t;
}

json_t *run_once(const char *name)
{
    char path[128];
    snprintf(path, sizeof path, "/patterns/%s", name);
    json_t *run = json_in(get_as(path, "application/json"), 200);
    const char *pattern = json_string_value(json_object_get(run, "pattern"));
    ck_assert(pattern && strlen(pattern) == strcspn(name, "?") && strncmp(pattern, name, strlen(pattern)) == 0);
    ck_assert_str_eq(json_string_value(json_object_get(run, "mode")), in_threads_mode() ? "threads" : "async");
    if (json_is_true(json_object_get(run, "ran")))
        return run;
    const char *why = json_string_value(json_object_get(run, "why"));
    ck_assert_msg(why && strlen(why) > 20, "%s does not run, and does not say why", name);
    json_decref(run);
    return NULL;
}

bool run_was_too_busy(const json_t *run)
{
    const int outcome = (int)json_integer_value(json_object_get(run, "outcome"));
    return refusal_is(outcome) || outcome == UV_ETIMEDOUT;
}

json_t *run_of(const char *name)
{
    enum { PATIENCE = 30 };                  /* seconds: of a dozen runs, or more where others have the processors */
    const double end = granted_s() + PATIENCE;
    json_t *run = run_once(name);
    while (run && run_was_too_busy(run)) {
        ck_assert_msg(granted_s() < end, "%s takes too long, again and again", name);
        json_decref(run);
        run = run_once(name);
    }
    return run;
}

json_t *twin_of(json_t *run, int which)
{
    json_t *twin = json_array_get(json_object_get(run, "twins"), (size_t)which);
    ck_assert_ptr_nonnull(twin);
    return twin;
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

static bool reason_begins(const json_t *await, const char *with)
{
    const char *reason = json_string_value(json_object_get(await, "for"));
    return reason && strncmp(reason, with, strlen(with)) == 0;
}

waits waits_of(const json_t *run, const char *track_name, const char *reason)
{
    waits w = { 0, INT64_MAX, 0 };
    bool of_these[MOST_TRACKS] = { false };
    int64_t since[MOST_TRACKS] = { 0 };      /* 0: it does not wait for that */
    size_t i;
    json_t *e;

    json_array_foreach(json_object_get(run, "events"), i, e) {
        const int64_t track = number_of(e, "track"), at = number_of(e, "at"), waited = at - since[track];
        if (is(e, "kind", "begin"))
            of_these[track] = is(e, "name", track_name);
        else if (is(e, "kind", "await"))
            since[track] = of_these[track] && reason_begins(e, reason) ? at : 0;
        if (!is(e, "kind", "wake") || !since[track])
            continue;
        w.count++;
        w.shortest = waited < w.shortest ? waited : w.shortest;
        w.longest = waited > w.longest ? waited : w.longest;
        since[track] = 0;
    }
    return w;
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

int64_t sum_of(const json_t *run, const char *value_name)
{
    int64_t sum = 0;
    size_t i;
    json_t *e;
    json_array_foreach(json_object_get(run, "events"), i, e)
        if (is(e, "kind", "value") && is(e, "name", value_name))
            sum += number_of(e, "value");
    return sum;
}

int64_t mark_at(const json_t *run, const char *name)
{
    size_t i;
    json_t *e;
    json_array_foreach(json_object_get(run, "events"), i, e)
        if (is(e, "kind", "mark") && is(e, "name", name))
            return number_of(e, "at");
    return -1;
}

bool has_mark(const json_t *run, const char *name) { return mark_at(run, name) >= 0; }
