/* patterns.c - every pattern runs, its record is consistent, and shows what the pattern claims. */
#include "tests/scenarios/scenarios.h"

#include "tests/scenarios/support/recorded.h"

/* Times ascend; every track begins once, under a parent that is there, and ends once; it waits for one
 * thing at a time, and wakes from it. */
static void expect_consistent(const char *name, const json_t *run)
{
    enum { NONE, RUNS, WAITS, ENDED } state[MOST_TRACKS] = { NONE };
    int64_t last = 0;
    size_t i;
    json_t *e;

    json_array_foreach(json_object_get(run, "events"), i, e) {
        const int64_t at = number_of(e, "at"), track = number_of(e, "track");
        ck_assert_msg(at >= last && track < MOST_TRACKS, "%s, event %zu", name, i);
        last = at;
        if (is(e, "kind", "begin")) {
            ck_assert_msg(state[track] == NONE, "%s: track %d begins twice", name, (int)track);
            ck_assert_msg(track == 0 || state[number_of(e, "parent")] != NONE, "%s: track %d", name, (int)track);
            state[track] = json_is_true(json_object_get(e, "task")) ? WAITS : RUNS;  /* for its turn */
        } else if (is(e, "kind", "await")) {
            ck_assert_msg(state[track] == RUNS, "%s: track %d awaits in state %d", name, (int)track, state[track]);
            state[track] = WAITS;
        } else if (is(e, "kind", "wake")) {
            ck_assert_msg(state[track] == WAITS, "%s: track %d wakes in state %d", name, (int)track, state[track]);
            state[track] = RUNS;
        } else if (is(e, "kind", "end")) {
            ck_assert_msg(state[track] == RUNS, "%s: track %d ends in state %d", name, (int)track, state[track]);
            state[track] = ENDED;
        } else {
            ck_assert_msg(is(e, "kind", "mark") || is(e, "kind", "value") || is(e, "kind", "took"), "%s, event %zu", name, i);
            ck_assert_int_ne(state[track], NONE);
        }
    }
    ck_assert_int_eq(number_of(run, "took_us"), last);
    for (int t = 0; t < MOST_TRACKS; t++)
        ck_assert_msg(state[t] == NONE || state[t] == ENDED, "%s: track %d never ends", name, t);
}

static void expect_run(const char *name, const json_t *run)
{
    json_t *twins = json_object_get(run, "twins"), *twin;
    size_t i;
    if (!twins)
        expect_consistent(name, run);
    ck_assert(!twins || json_array_size(twins) == 2);
    json_array_foreach(twins, i, twin)
        expect_consistent(name, twin);
}

static void expect_good_end(const char *name, const json_t *run)
{
    ck_assert_msg(number_of(run, "outcome") == 0 || run_slowed(), "%s: %s", name,
                  json_string_value(json_object_get(run, "error")));
    ck_assert_msg(number_of(run, "took_us") < (run_slowed() ? 60 : 6) * 1000000, "%s takes long", name);
}

START_TEST(every_pattern_runs_or_says_why_not_and_its_record_is_consistent)
{
    json_t *all = json_in(get_as("/patterns", "application/json"), 200), *about;
    size_t i;
    int ran = 0;

    json_array_foreach(json_object_get(all, "patterns"), i, about) {
        const char *name = json_string_value(json_object_get(about, "pattern"));
        json_t *run = run_once(name);
        ck_assert_msg((run == NULL) == json_is_string(json_object_get(about, "why")), "%s", name);
        if (!run)
            continue;
        ran++;
        expect_run(name, run);
        if (run_was_too_busy(run)) {
            json_decref(run);
            run = run_of(name);
        }
        json_t *twins = json_object_get(run, "twins"), *twin;
        size_t k;
        if (!twins)
            expect_good_end(name, run);
        json_array_foreach(twins, k, twin)
            expect_good_end(name, twin);
        json_decref(run);
    }
    ck_assert_int_ge(ran, in_threads_mode() ? 8 : 16);
    json_decref(all);
}
END_TEST

START_TEST(what_comes_in_real_time_all_arrives)
{
    json_t *run = run_of("websocket");
    const tracks speaks = tracks_called(run, "speaks"), listens = tracks_called(run, "listens");
    ck_assert_int_eq(figure(run, "heard"), figure(run, "said"));
    if (!in_threads_mode())
        ck_assert_int_lt(listens.first_begin, speaks.last_end);      /* side by side */
    json_decref(run);
    run = run_of("events");
    ck_assert_int_eq(figure(run, "read by three"), 3 * figure(run, "published"));
    ck_assert_int_eq(tracks_called(run, "comes late").succeeded, 1);
    json_decref(run);
    run = run_of("either");
    ck_assert_int_eq(figure(run, "messages"), 6);
    ck_assert_int_eq(figure(run, "events"), 4);
    json_decref(run);
}
END_TEST

/* Each request of somebody else is in the record, and the figures are those of the record. */
static void expect_visits(const json_t *twin)
{
    int64_t count = 0, longest = 0;
    size_t i;
    json_t *e;
    json_array_foreach(json_object_get(twin, "events"), i, e) {
        if (!is(e, "kind", "took"))
            continue;
        ck_assert(is(e, "name", "GET /healthz"));
        count++;
        longest = number_of(e, "value") > longest ? number_of(e, "value") : longest;
    }
    ck_assert_int_eq(count, figure(twin, "requests by others"));
    ck_assert_int_gt(count, 3);
    ck_assert_int_eq(longest, figure(twin, "others waited, at most"));
    ck_assert_int_le(figure(twin, "others waited, usually"), longest);
}

/* A run in which others waited: on a busy machine they may come late, and then there is little left to wait for. */
static json_t *run_that_others_waited_for(const char *name)
{
    const double end = granted_s() + 30;
    json_t *run = run_of(name);
    while (figure(twin_of(run, 0), "others waited, at most") < 150000) {
        ck_assert_msg(granted_s() < end, "%s: others waited for %d us", name,
                      (int)figure(twin_of(run, 0), "others waited, at most"));
        json_decref(run);
        run = run_of(name);
    }
    return run;
}

START_TEST(a_pitfall_makes_others_wait_and_its_twin_does_not)
{
    static const char *const PITFALLS[] = { "pitfall-sleep", "pitfall-cpu" };
    for (int i = 0; i < 2; i++) {
        json_t *run = (in_threads_mode() ? run_of : run_that_others_waited_for)(PITFALLS[i]);
        const json_t *bad = twin_of(run, 0), *good = twin_of(run, 1);
        expect_visits(bad);
        expect_visits(good);
        if (!in_threads_mode())
            ck_assert_int_lt(figure(good, "others waited, at most"), figure(bad, "others waited, at most"));
        json_decref(run);
    }
}
END_TEST

START_TEST(who_blocks_one_loop_of_many_is_met_by_others_all_the_same)
{
    server_start("many-loops", "--workers", "6", "TENK_PATTERNS_ENABLED=on", NULL);
    for (int i = 0; i < 3; i++) {
        json_t *run = (in_threads_mode() ? run_of : run_that_others_waited_for)("pitfall-sleep");
        expect_visits(twin_of(run, 0));
        json_decref(run);
    }
    server_stop();
}
END_TEST

START_TEST(a_forgotten_task_is_cancelled_and_logged_and_its_twin_is_awaited)
{
    static const char RECEIPT[] = "print the receipt";
    json_t *run = run_of("pitfall-forgotten");
    if (in_threads_mode()) {
        ck_assert_ptr_null(run);
        return;
    }
    const json_t *bad = twin_of(run, 0), *good = twin_of(run, 1);
    ck_assert_int_eq(tracks_called(bad, RECEIPT).cancelled, 1);
    ck_assert_int_le(tracks_called(bad, RECEIPT).last_end, tracks_called(bad, "forgotten-bad").last_end);
    ck_assert_int_le(tracks_called(good, RECEIPT).last_end, tracks_called(good, "forgotten-good").last_end);
    ck_assert(tracks_called(good, RECEIPT).succeeded + tracks_called(good, RECEIPT).cancelled == 0);     /* it was refused */
    ck_assert_int_lt(tracks_called(bad, "forgotten-bad").last_end, tracks_called(good, "forgotten-good").last_end);
    ck_assert(eventually(5, server_log_has("never awaited")));
    ck_assert(has_mark(bad, "the customer is thanked, and waits for a receipt for ever"));
    ck_assert(has_mark(good, "the customer is told that there is no receipt"));
    expect_visits(bad);
    expect_visits(good);
    json_decref(run);
}
END_TEST

Suite *patterns_suite(void)
{
    Suite *s = suite_create("patterns");
    for (int database = 0; database < 2; database++) {
        TCase *t = recorded_theme(s, database == 1);
        tcase_add_test(t, every_pattern_runs_or_says_why_not_and_its_record_is_consistent);
        if (database == 1)
            continue;                        /* the rest asks no database */
        tcase_add_test(t, what_comes_in_real_time_all_arrives);
        tcase_add_test(t, a_pitfall_makes_others_wait_and_its_twin_does_not);
        tcase_add_test(t, a_forgotten_task_is_cancelled_and_logged_and_its_twin_is_awaited);
    }
    TCase *t = tcase_create("many-loops");
    tcase_add_test(t, who_blocks_one_loop_of_many_is_met_by_others_all_the_same);
    suite_add_tcase(s, t);
    return s;
}
