/* patterns.c - every pattern runs, its record is consistent, and shows what the pattern claims. */
#include "scenarios.h"

#include "server/base/overload/refusal.h"
#include "tests/scenarios/support/postgres.h"
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
            ck_assert_msg(is(e, "kind", "mark") || is(e, "kind", "value"), "%s, event %zu", name, i);
            ck_assert_int_ne(state[track], NONE);
        }
    }
    ck_assert_int_eq(number_of(run, "took_us"), last);
    for (int t = 0; t < MOST_TRACKS; t++)
        ck_assert_msg(state[t] == NONE || state[t] == ENDED, "%s: track %d never ends", name, t);
}

START_TEST(every_pattern_runs_or_says_why_not_and_its_record_is_consistent)
{
    json_t *all = json_in(get_as("/patterns", "application/json"), 200), *about;
    size_t i;
    int ran = 0;

    json_array_foreach(json_object_get(all, "patterns"), i, about) {
        const char *name = json_string_value(json_object_get(about, "pattern"));
        json_t *run = run_of(name);
        ck_assert_msg((run == NULL) == json_is_string(json_object_get(about, "why")), "%s", name);
        if (!run)
            continue;
        ran++;
        expect_consistent(name, run);
        for (int again = 0; refusal_is((int)number_of(run, "outcome")) && again < 10; again++) {  /* the machine was too busy */
            json_decref(run);
            run = run_of(name);
        }
        ck_assert_msg(number_of(run, "outcome") == 0 || run_slowed(), "%s: %s", name,
                      json_string_value(json_object_get(run, "error")));
        ck_assert_msg(number_of(run, "took_us") < (run_slowed() ? 60 : 6) * 1000000, "%s takes long", name);
        json_decref(run);
    }
    ck_assert_int_ge(ran, in_threads_mode() ? 8 : 16);
    json_decref(all);
}
END_TEST

START_TEST(a_race_calls_the_loser_off_and_any_waits_for_a_success)
{
    json_t *run = run_of("race");
    if (in_threads_mode()) {
        ck_assert_ptr_null(run);
        return;
    }
    ck_assert_int_eq(tracks_called(run, "replica").succeeded, 1);
    ck_assert_int_eq(tracks_called(run, "primary").cancelled, 1);
    json_decref(run);
    run = run_of("any");
    ck_assert_int_eq(tracks_called(run, "a mirror that is down").succeeded, 0);
    ck_assert_int_eq(tracks_called(run, "a good one").succeeded, 1);
    ck_assert_int_eq(tracks_called(run, "a slow one").cancelled, 1);
    json_decref(run);
}
END_TEST

START_TEST(all_settled_tells_of_each_and_a_chain_has_one_catch)
{
    json_t *run = run_of("all-settled");
    ck_assert_int_eq(figure(run, "delivered"), 2);
    ck_assert_int_eq(tracks_called(run, "nobody lives there").succeeded, 0);
    json_decref(run);
    run = run_of("promises");
    ck_assert_int_eq(tracks_called(run, "a step that fails").succeeded, 0);
    ck_assert_int_eq(tracks_called(run, "caught, and dealt with").succeeded, 1);
    ck_assert(has_mark(run, "put away, whatever has happened"));
    ck_assert(!has_mark(run, "this step is never reached"));
    json_decref(run);
    run = run_of("await");
    ck_assert_int_eq(figure(run, "users found before the error"), 2);
    ck_assert(has_mark(run, "dealt with, in one place"));
    json_decref(run);
}
END_TEST

START_TEST(what_is_gathered_overlaps_and_what_is_awaited_in_turn_does_not)
{
    json_t *run = run_of("sequential-gather-pipeline");
    const tracks gathered = tracks_called(run, "side by side"), in_turn = tracks_called(run, "one after the other");
    ck_assert_int_eq(gathered.succeeded, 3);
    ck_assert_int_eq(in_turn.succeeded, 3);
    ck_assert_int_ge(in_turn.last_begin, in_turn.first_end);
    if (!in_threads_mode())
        ck_assert_int_lt(gathered.last_begin, gathered.first_end);
    json_decref(run);
}
END_TEST

START_TEST(a_hundred_sleepers_sleep_at_the_same_time)
{
    json_t *run = run_of("hundred-sleepers");
    if (in_threads_mode()) {
        ck_assert_ptr_null(run);
        return;
    }
    const tracks sleepers = tracks_called(run, "sleeper");
    ck_assert_int_eq(sleepers.succeeded, 100);
    ck_assert_int_lt(sleepers.last_begin, sleepers.first_end);
    json_decref(run);
}
END_TEST

START_TEST(callbacks_come_in_turn)
{
    static const char *const ORDER[] = { "file", "database", "HTTP", "render" };
    json_t *run = run_of("callbacks");
    int64_t before = 0;
    for (int i = 0; i < 4; i++) {
        const tracks step = tracks_called(run, ORDER[i]);
        ck_assert_int_eq(step.succeeded, 1);
        ck_assert_int_ge(step.first_begin, before);
        before = step.last_end;
    }
    json_decref(run);
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

START_TEST(a_semaphore_lets_in_no_more_than_it_may)
{
    json_t *run = run_of("semaphore");
    ck_assert_int_eq(tracks_called(run, "fetch").succeeded, 100);
    ck_assert_int_eq(most_of(run, "under way"), in_threads_mode() ? 1 : 8);
    ck_assert_int_eq(figure(run, "at once, at most"), in_threads_mode() ? 1 : 8);
    json_decref(run);
}
END_TEST

START_TEST(a_job_that_crashes_and_one_that_never_ends_leave_the_others_alone)
{
    json_t *run = run_of("processes");
    ck_assert_int_eq(tracks_called(run, "works").succeeded, 1);
    ck_assert_int_eq(tracks_called(run, "crashes").succeeded, 0);
    ck_assert_int_eq(tracks_called(run, "never ends").succeeded, 0);
    ck_assert_int_eq(tracks_called(run, "works, as before").succeeded, 1);
    ck_assert_int_eq(figure(run, "that died"), 1);
    ck_assert_int_eq(figure(run, "that were out of time"), 1);
    json_decref(run);
}
END_TEST

START_TEST(a_queue_is_never_longer_than_its_room)
{
    json_t *run = run_of("back-pressure");
    const int64_t most = most_of(run, "in the queue");       /* how full it gets depends on the machine */
    ck_assert(most > 0 && most <= figure(run, "room in the queue"));
    ck_assert_int_eq(figure(run, "consumed"), figure(run, "produced"));
    json_decref(run);
}
END_TEST

START_TEST(a_background_task_that_fails_is_logged_with_its_name)
{
    json_t *run = run_of("background");
    ck_assert_int_eq(figure(run, "failed, and logged"), 1);
    ck_assert(server_says("letter to nowhere"));
    json_decref(run);
}
END_TEST

START_TEST(phases_come_in_their_order)
{
    static const char *const ORDER[] = {
        "this function returns", "next_tick", "queue_microtask", "next_tick, of the microtask",
    };
    json_t *run = run_of("phases"), *e;
    size_t i;
    int next = 0;
    bool rang = false, after_timer = false;
    if (in_threads_mode()) {
        ck_assert_ptr_null(run);
        return;
    }
    json_array_foreach(json_object_get(run, "events"), i, e) {
        if (!is(e, "kind", "mark"))
            continue;
        if (next < 4)
            ck_assert_msg(is(e, "name", ORDER[next]), "%s", json_string_value(json_object_get(e, "name")));
        next++;
        if (rang && !after_timer) {
            ck_assert(is(e, "name", "queue_microtask, of the timer"));
            after_timer = true;
        }
        rang |= is(e, "name", "set_timeout of 1 ms");
    }
    ck_assert_int_eq(next, 8);
    ck_assert(after_timer);
    json_decref(run);
}
END_TEST

START_TEST(a_pitfall_makes_others_wait_and_its_twin_does_not)
{
    static const char *const PAIRS[][2] = { { "sleep-bad", "sleep-good" }, { "cpu-bad", "cpu-good" } };
    for (int i = 0; i < 2; i++) {
        json_t *bad = run_of(PAIRS[i][0]), *good = run_of(PAIRS[i][1]);
        ck_assert_int_eq(bad == NULL, in_threads_mode());
        if (!bad)
            continue;
        ck_assert_int_ge(figure(bad, "others waited, at most"), 150);
        ck_assert_int_lt(figure(good, "others waited, at most"), figure(bad, "others waited, at most"));
        json_decref(bad);
        json_decref(good);
    }
}
END_TEST

START_TEST(a_forgotten_task_is_cancelled_and_logged_and_its_twin_is_awaited)
{
    json_t *bad = run_of("forgotten-bad"), *good = run_of("forgotten-good");
    if (in_threads_mode()) {
        ck_assert_ptr_null(bad);
        return;
    }
    ck_assert_int_eq(tracks_called(bad, "print the receipt").cancelled, 1);
    ck_assert_int_le(tracks_called(bad, "print the receipt").last_end, tracks_called(bad, "forgotten-bad").last_end);
    ck_assert_int_le(tracks_called(good, "print the receipt").last_end, tracks_called(good, "forgotten-good").last_end);
    ck_assert(eventually(5, server_log_has("never awaited")));
    ck_assert(has_mark(good, "the customer is told that there is no receipt"));
    json_decref(bad);
    json_decref(good);
}
END_TEST

START_TEST(a_timeout_ends_the_query_at_the_server)
{
    static const char CANCELLED[] = "canceling statement due to user request",
                      GOING_ON[] = "select count(*) from pg_stat_activity where state = 'active' and query like '%as too_slow'";
    const int before = postgres_here ? cluster_log_times(postgres(), CANCELLED) : 0;
    json_t *run = run_of("timeout");
    if (in_threads_mode() || !postgres_here) {
        ck_assert_ptr_null(run);
        return;
    }
    ck_assert_int_eq(tracks_called(run, "five seconds").cancelled, 1);
    ck_assert_int_gt(cluster_log_times(postgres(), CANCELLED), before);
    ck_assert_int_le(figure(run, "of such queries go on at the server"), 1);     /* PostgreSQL answers just before it counts */
    ck_assert(eventually(10, sql_int(GOING_ON) == 0));
    json_decref(run);
}
END_TEST

Suite *patterns_suite(void)
{
    Suite *s = suite_create("patterns");
    for (int database = 0; database < 2; database++) {
        TCase *t = recorded_theme(s, database == 1);
        tcase_add_test(t, every_pattern_runs_or_says_why_not_and_its_record_is_consistent);
        tcase_add_test(t, a_race_calls_the_loser_off_and_any_waits_for_a_success);
        tcase_add_test(t, what_is_gathered_overlaps_and_what_is_awaited_in_turn_does_not);
        tcase_add_test(t, a_timeout_ends_the_query_at_the_server);
        if (database == 1)
            continue;                        /* the rest asks no database */
        tcase_add_test(t, all_settled_tells_of_each_and_a_chain_has_one_catch);
        tcase_add_test(t, a_hundred_sleepers_sleep_at_the_same_time);
        tcase_add_test(t, callbacks_come_in_turn);
        tcase_add_test(t, what_comes_in_real_time_all_arrives);
        tcase_add_test(t, a_semaphore_lets_in_no_more_than_it_may);
        tcase_add_test(t, a_job_that_crashes_and_one_that_never_ends_leave_the_others_alone);
        tcase_add_test(t, a_queue_is_never_longer_than_its_room);
        tcase_add_test(t, a_background_task_that_fails_is_logged_with_its_name);
        tcase_add_test(t, phases_come_in_their_order);
        tcase_add_test(t, a_pitfall_makes_others_wait_and_its_twin_does_not);
        tcase_add_test(t, a_forgotten_task_is_cancelled_and_logged_and_its_twin_is_awaited);
    }
    return s;
}
