/* together.c - several things at once: what the pages of gather, all_settled, any, race and of pipelines say is what their
 * runs have done. */
#include "tests/scenarios/scenarios.h"

#include "tests/scenarios/support/postgres.h"
#include "tests/scenarios/support/recorded.h"

#include <stdio.h>
#include <string.h>

enum { REFUSED = -111, TIMED_OUT = -110, NOT_FOUND = -20404, QUERY_FAILED = -30001 };

static int64_t outcome_of(const json_t *run, const char *name)
{
    int64_t track = -1;
    size_t i;
    json_t *e;
    json_array_foreach(json_object_get(run, "events"), i, e) {
        if (track < 0 && is(e, "kind", "begin") && is(e, "name", name))
            track = number_of(e, "track");
        if (track >= 0 && is(e, "kind", "end") && number_of(e, "track") == track)
            return number_of(e, "outcome");
    }
    ck_abort_msg("%s has not ended", name);
    return 0;
}

static int64_t duration(tracks t) { return t.last_end - t.first_begin; }

static const char *const ALL[] = { "the user", "the posts", "a slow query", "a computation, in a thread" };

START_TEST(gather_takes_as_long_as_the_slowest_and_in_a_blocking_thread_the_sum)
{
    json_t *run = run_of("all");
    const tracks whole = tracks_called(run, "all");
    int64_t last_begin = 0, first_end = whole.last_end, last_end = 0;
    for (int i = 0; i < 4; i++) {
        const tracks t = tracks_called(run, ALL[i]);
        ck_assert_int_eq(t.succeeded, 1);
        ck_assert(!in_threads_mode() || t.first_begin >= last_end);
        last_begin = t.first_begin > last_begin ? t.first_begin : last_begin;
        first_end = t.first_end < first_end ? t.first_end : first_end;
        last_end = t.last_end > last_end ? t.last_end : last_end;
    }
    ck_assert(in_threads_mode() || last_begin < first_end);
    ck_assert_int_le(last_end, whole.last_end);
    ck_assert_int_eq(figure(run, "posts"), 10);
    json_decref(run);
}
END_TEST

START_TEST(gather_cancels_the_others_when_one_fails_and_waits_until_the_last_has_let_go)
{
    json_t *run = run_of("all?fail=posts");
    ck_assert_int_eq(number_of(run, "outcome"), QUERY_FAILED);
    const tracks whole = tracks_called(run, "all");
    for (int i = 0; i < 4; i++)
        ck_assert_int_le(tracks_called(run, ALL[i]).last_end, whole.last_end);
    ck_assert_int_eq(outcome_of(run, "the posts"), QUERY_FAILED);
    if (!in_threads_mode())
        ck_assert_int_eq(tracks_called(run, "a slow query").cancelled, 1);
    json_decref(run);
}
END_TEST

/* Of the four each has little time, and the machine may be busy: until the one that has no such page has said so in time. */
static json_t *run_of_four(const char *name)
{
    for (int again = 0; again < 20; again++) {
        json_t *run = run_of(name);
        if (!run || outcome_of(run, "has no such page") == NOT_FOUND)
            return run;
        json_decref(run);
    }
    ck_abort_msg("of twenty runs of %s it was late in each", name);
    return NULL;
}

START_TEST(all_settled_waits_for_each_and_keeps_what_became_of_it)
{
    json_t *run = NULL;
    for (int again = 0; again < 10 && !(run && figure(run, "have answered") == 1); again++) {
        json_decref(run);
        run = run_of_four("all-settled");
        ck_assert_int_eq(number_of(run, "outcome"), 0);
    }
    ck_assert_int_eq(figure(run, "have answered"), 1);
    ck_assert_int_eq(outcome_of(run, "refuses"), REFUSED);
    ck_assert_int_eq(outcome_of(run, "answers in 30 ms"), 0);
    ck_assert_int_eq(outcome_of(run, "answers in 500 ms"), TIMED_OUT);
    const tracks slow = tracks_called(run, "answers in 500 ms"), good = tracks_called(run, "answers in 30 ms");
    ck_assert_int_ge(duration(good), 30000);
    ck_assert_int_ge(duration(slow), 100000);
    ck_assert_int_ge(slow.last_end, good.last_end);
    ck_assert(in_threads_mode() || good.first_begin < tracks_called(run, "refuses").first_end);
    const char *html = json_string_value(json_object_get(run, "output"));
    ck_assert_ptr_nonnull(strstr(html, "<code>outcomes[0]</code>, of the one that refuses: <b>ECONNREFUSED</b>"));
    ck_assert_ptr_nonnull(strstr(html, "<code>outcomes[3]</code>, of the one that answers in 500 ms: <b>ETIMEDOUT</b>"));
    json_decref(run);
}
END_TEST

START_TEST(any_goes_on_after_failures_and_calls_off_the_rest_after_a_success)
{
    json_t *run = run_of_four("any");
    if (in_threads_mode()) {
        ck_assert_ptr_null(run);
        return;
    }
    ck_assert_int_eq(number_of(run, "outcome"), 0);
    const tracks down = tracks_called(run, "refuses"), good = tracks_called(run, "answers in 30 ms"),
                 slow = tracks_called(run, "answers in 500 ms");
    ck_assert_int_eq(outcome_of(run, "refuses"), REFUSED);
    ck_assert_int_lt(down.last_end, good.last_end);          /* a race would have ended there */
    ck_assert_int_eq(good.succeeded, 1);
    ck_assert_int_eq(slow.cancelled, 1);
    ck_assert(run_slowed() || duration(slow) < 500000);
    ck_assert_int_ge(slow.last_end, good.last_end);
    ck_assert_int_ge(tracks_called(run, "any").last_end, slow.last_end);
    json_decref(run);
}
END_TEST

START_TEST(any_fails_when_all_have_failed_as_the_first_of_them_did)
{
    static const char *const KINDS[] = { "refuses", "has no such page" };
    json_t *run = run_of("any?good=none");
    if (in_threads_mode()) {
        ck_assert_ptr_null(run);
        return;
    }
    const tracks refuses = tracks_called(run, KINDS[0]), missing = tracks_called(run, KINDS[1]);
    ck_assert_int_eq(refuses.count + missing.count, 4);
    ck_assert_int_eq(refuses.succeeded + missing.succeeded + refuses.cancelled + missing.cancelled, 0);
    ck_assert_int_eq(number_of(run, "outcome"), refuses.first_end <= missing.first_end ? REFUSED : NOT_FOUND);
    json_decref(run);
}
END_TEST

/* Who is slow loses, but when the machine is too busy for that to make a difference. */
static json_t *race_won_by(const char *slow, const char *winner, const char *loser)
{
    json_t *run = NULL;
    char name[64], at_loser[64];
    snprintf(name, sizeof name, "race?slow=%s", slow);
    snprintf(at_loser, sizeof at_loser, "at the %s", loser);
    for (int again = 0; again < 20; again++) {
        json_decref(run);
        run = run_of(name);
        ck_assert_int_eq(number_of(run, "outcome"), 0);
        ck_assert_int_ge(tracks_called(run, "primary").succeeded + tracks_called(run, "replica").succeeded, 1);
        if (tracks_called(run, winner).succeeded == 1 && tracks_called(run, at_loser).cancelled == 1)
            return run;
    }
    ck_abort_msg("of twenty races the %s has won none while the %s's query ran", winner, loser);
    return NULL;
}

START_TEST(a_race_is_won_by_the_quicker_database_and_the_losers_query_is_cancelled_there)
{
    static const char CANCELLED[] = "canceling statement due to user request";
    if (in_threads_mode()) {
        ck_assert_ptr_null(run_of("race"));
        return;
    }
    const int before = postgres_here ? cluster_log_times(postgres(), CANCELLED) : 0;
    json_t *run = race_won_by("primary", "replica", "primary");
    const tracks loser = tracks_called(run, "at the primary"), winner = tracks_called(run, "at the replica");
    ck_assert_int_ge(loser.first_begin - tracks_called(run, "primary").first_begin, figure(run, "alone") / 2);
    ck_assert_int_le(tracks_called(run, "alone, before").last_end, tracks_called(run, "replica").first_begin);
    ck_assert_int_le(loser.last_end, tracks_called(run, "race").last_end);
    ck_assert_int_le(winner.last_end, loser.last_end);
    ck_assert_int_ge(figure(run, "posts"), 1);
    ck_assert(has_mark(run, "answered, and nobody is still at work"));
    json_decref(run);
    json_decref(race_won_by("replica", "primary", "replica"));
    if (postgres_here)
        ck_assert_int_gt(cluster_log_times(postgres(), CANCELLED), before);
}
END_TEST

/* Whether gathering them was quicker. */
static bool expect_slow_queries(const json_t *run)
{
    const tracks gathered = tracks_called(run, "side by side"), in_turn = tracks_called(run, "one after the other");
    ck_assert_int_eq(gathered.succeeded, 3);
    ck_assert_int_eq(in_turn.succeeded, 3);
    ck_assert_int_ge(in_turn.last_begin, in_turn.first_end);
    ck_assert_int_ge(figure(run, "3 slow ones, in turn"), duration(in_turn));
    if (postgres_here)
        ck_assert_int_ge(figure(run, "3 slow ones, in turn"), 3 * 30000);
    ck_assert(in_threads_mode() || gathered.last_begin < gathered.first_end);
    ck_assert_int_ge(figure(run, "3 slow ones, gathered"), duration(gathered));
    return figure(run, "3 slow ones, gathered") < figure(run, "3 slow ones, in turn");
}

START_TEST(slow_queries_cost_the_sum_in_turn_and_less_when_they_are_gathered)
{
    bool quicker = false;
    for (int again = 0; again < 10 && !quicker; again++) {   /* SQLite's need processors, which may be busy */
        json_t *run = run_of("sequential-gather-pipeline");
        quicker = expect_slow_queries(run) || in_threads_mode();
        json_decref(run);
    }
    ck_assert(quicker);
}
END_TEST

/* What is compared is warm: each kind of query has been answered before. */
START_TEST(a_pipeline_is_quicker_than_the_same_queries_in_turn_and_comes_last)
{
    if (in_threads_mode())
        return;
    bool quicker = false;
    for (int again = 0; again < 20 && !quicker; again++) {   /* the machine may be busy with something else */
        json_t *run = run_of("sequential-gather-pipeline");
        const tracks warm = tracks_called(run, "warming up: a pipeline"), last = tracks_called(run, "24 quick ones, a pipeline");
        ck_assert_int_eq(warm.succeeded, 1);
        ck_assert_int_le(warm.last_end, tracks_called(run, "3 slow ones, in turn").first_begin);
        ck_assert_int_le(tracks_called(run, "24 quick ones, in turn").last_end, last.first_begin);
        quicker = 2 * figure(run, "24 quick ones, a pipeline") < figure(run, "24 quick ones, in turn");
        json_decref(run);
    }
    ck_assert(quicker);
}
END_TEST

START_TEST(the_replica_of_the_settings_is_asked)
{
    char replica[256];
    if (in_threads_mode())
        return;
    snprintf(replica, sizeof replica, "TENK_PATTERNS_REPLICA=%s", postgres_url());
    server_start("gallery-replica", replica, NULL);          /* on SQLite itself */
    json_t *run = run_of("race?slow=primary");               /* whoever is quicker: they are not of a kind */
    ck_assert_int_eq(number_of(run, "outcome"), 0);
    ck_assert_int_ge(figure(run, "posts"), 1);
    ck_assert_int_ge(sql_int("select count(*) from pg_stat_activity where query like '%as quoted, posts as quoting%'"
                             " and pid <> pg_backend_pid()"), 1);
    json_decref(run);
    server_stop();
}
END_TEST

START_TEST(a_replica_that_is_not_there_is_said)
{
    char folder[256];
    if (in_threads_mode())
        return;
    snprintf(folder, sizeof folder, "TENK_PATTERNS_REPLICA=sqlite:%s/no/such/folder/replica.db", run_folder());
    server_start("gallery-replica", folder, NULL);
    json_t *run = run_of("race");
    ck_assert_int_lt(number_of(run, "outcome"), 0);
    ck_assert(server_says("the replica of the gallery cannot be opened"));
    json_decref(run);
    server_stop();
}
END_TEST

Suite *gallery_together_suite(void)
{
    Suite *s = suite_create("gallery_together");
    for (int database = 0; database < 2; database++) {
        TCase *t = recorded_theme(s, database == 1);
        tcase_add_test(t, gather_takes_as_long_as_the_slowest_and_in_a_blocking_thread_the_sum);
        tcase_add_test(t, gather_cancels_the_others_when_one_fails_and_waits_until_the_last_has_let_go);
        tcase_add_test(t, a_race_is_won_by_the_quicker_database_and_the_losers_query_is_cancelled_there);
        tcase_add_test(t, slow_queries_cost_the_sum_in_turn_and_less_when_they_are_gathered);
        tcase_add_test(t, a_pipeline_is_quicker_than_the_same_queries_in_turn_and_comes_last);
        if (database == 1)
            continue;                        /* the rest asks no database */
        tcase_add_test(t, all_settled_waits_for_each_and_keeps_what_became_of_it);
        tcase_add_test(t, any_goes_on_after_failures_and_calls_off_the_rest_after_a_success);
        tcase_add_test(t, any_fails_when_all_have_failed_as_the_first_of_them_did);
    }
    TCase *t = tcase_create("gallery-replica");
    tcase_add_test(t, the_replica_of_the_settings_is_asked);
    tcase_add_test(t, a_replica_that_is_not_there_is_said);
    suite_add_tcase(s, t);
    return s;
}
