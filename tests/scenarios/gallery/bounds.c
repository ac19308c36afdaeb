/* bounds.c - limits, queues and time: each figure and order that their pages state. */
#include "tests/scenarios/scenarios.h"

#include "tests/scenarios/support/postgres.h"
#include "tests/scenarios/support/recorded.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Who waits for a permit gets one in the order of coming. */
static void expect_first_come_first_served(const json_t *run)
{
    bool waits[MOST_TRACKS] = { false };
    int64_t last = 0;
    size_t i;
    json_t *e;
    int served = 0;

    json_array_foreach(json_object_get(run, "events"), i, e) {
        const int64_t track = number_of(e, "track");
        if (is(e, "kind", "await")) {
            waits[track] = is(e, "for", "semaphore_enter(v->door)");
        } else if (is(e, "kind", "wake") && waits[track]) {
            ck_assert_msg(track > last, "fetch %d is served after %d", (int)track, (int)last);
            last = track;
            served++;
        }
    }
    ck_assert_int_eq(served, 100);
}

START_TEST(a_semaphore_lets_in_no_more_than_it_may_first_come_first_served)
{
    json_t *run = run_of("semaphore");
    ck_assert_int_eq(tracks_called(run, "fetch").succeeded, 100);
    ck_assert_int_eq(most_of(run, "under way"), in_threads_mode() ? 1 : 10);
    ck_assert_int_eq(figure(run, "at once, at most"), in_threads_mode() ? 1 : 10);
    expect_first_come_first_served(run);
    json_decref(run);
}
END_TEST

/* The producer fills the queue, never more, and waits; join returns when each has been reported done, and not before. */
START_TEST(a_queue_holds_its_producer_back_and_join_waits_for_what_is_done)
{
    json_t *run = run_of("back-pressure");
    const tracks producer = tracks_called(run, "producer"), consumers = tracks_called(run, "consumer");
    ck_assert_int_eq(figure(run, "room in the queue"), 100);
    ck_assert_int_eq(most_of(run, "in the queue"), 100);
    ck_assert_int_gt(figure(run, "pushes that had to wait"), 0);
    ck_assert_int_eq(figure(run, "produced"), 400);
    ck_assert_int_eq(figure(run, "done"), 400);
    ck_assert_int_eq(figure(run, "not yet done when join returned"), 0);
    ck_assert_int_eq(waits_of(run, "producer", "queue_join").count, 1);
    ck_assert_int_gt(mark_at(run, "all are done"), mark_at(run, "the last one is in the queue"));
    ck_assert_int_eq(consumers.succeeded, 4);
    ck_assert_int_ge(consumers.first_end, mark_at(run, "all are done"));
    ck_assert_int_eq(producer.succeeded, 1);
    json_decref(run);
}
END_TEST

/* Within its time and a little, where the machine has any: the query's own is five seconds. */
static void expect_ended(json_t *run, const char *how)
{
    const int64_t after = figure(run, how);
    ck_assert_int_ge(after, 60);
    ck_assert_msg(after < 2500, "%s %d ms", how, (int)after);
}

/* Runs it; false: a machine so busy that a query's time was over before it was sent has nothing to end. */
static bool query_was_ended(int ends)
{
    static const char CANCELLED[] = "canceling statement due to user request";
    const int before = postgres_here ? cluster_log_times(postgres(), CANCELLED) : 0;
    json_t *run = run_of("timeout");
    ck_assert_ptr_nonnull(run);
    ck_assert_int_eq(number_of(run, "outcome"), 0);
    if (!in_threads_mode())
        expect_ended(run, "ended by with_timeout of 60 ms, after");
    expect_ended(run, "ended by a deadline in 60 ms, after");
    const tracks queries = tracks_called(run, "five seconds");
    ck_assert_int_eq(queries.count, ends);
    ck_assert_int_eq(queries.succeeded, 0);
    json_decref(run);
    return !postgres_here || eventually(5, cluster_log_times(postgres(), CANCELLED) >= before + ends);
}

START_TEST(a_timeout_ends_the_query_in_the_database)
{
    bool ended = false;
    for (int tries = 0; tries < 5 && !ended; tries++)
        ended = query_was_ended(in_threads_mode() ? 1 : 2);
    ck_assert(ended);
}
END_TEST

/* In the one that can be looked into, nothing of it is left; the other has nothing more to compute. */
START_TEST(nothing_goes_on_after_a_timeout)
{
    int64_t left = INT64_MAX;
    for (int tries = 0; tries < 5 && left > (postgres_here ? 0 : 25); tries++) {
        json_t *run = run_of("timeout");
        left = figure(run, postgres_here ? "of such queries go on at the server" : "CPU time of the 50 ms after");
        json_decref(run);
    }
    ck_assert_int_le(left, postgres_here ? 0 : 25);
}
END_TEST

/* Each client has its answer at once, and learns later what became of its letter. */
START_TEST(a_letter_outlives_its_request_and_one_that_fails_is_logged)
{
    json_t *run = run_of("background");
    const tracks letters = tracks_called(run, "the letter, after the answer");
    ck_assert_int_eq(number_of(run, "outcome"), 0);
    ck_assert_int_eq(figure(run, "delivered"), 1);
    ck_assert_int_eq(figure(run, "failed, and logged"), 1);
    ck_assert_int_eq(letters.count, 2);
    ck_assert_int_eq(letters.succeeded, 1);
    const int64_t answered = figure(run, "answered within") / 1000 + 2;      /* ms; what was cut off, too */
    ck_assert_int_ge(figure(run, "known so long after the answer") + answered, 60);         /* its server takes so long */
    ck_assert_int_ge(figure(run, "known so long after its answer") + answered, 2 * 20);     /* two pauses of three tries */
    ck_assert(eventually(5, server_log_has("background task letter to nowhere: connection refused")));
    json_decref(run);
}
END_TEST

static answer post_letter(const char *query)
{
    char request[256];
    snprintf(request, sizeof request, "POST /patterns/background/letters%s HTTP/1.1\r\nHost: t\r\nContent-Length: 0\r\n"
                                      "Connection: close\r\n\r\n", query);
    return ask(request);
}

static bool has_become(const char *where, const char *what)
{
    const answer a = get(where);
    expect(a, 200, "text/plain");
    ck_assert(header_is(&a, "Cache-Control", "no-store"));
    return strncmp(a.body, what, strlen(what)) == 0;
}

static void expect_letter(const char *query, const char *what, int ms)
{
    char where[128];
    const answer a = post_letter(query);
    expect(a, 202, "text/plain");
    snprintf(where, sizeof where, "%s", header(&a, "Location"));
    ck_assert(eventually(10, has_become(where, what)));
    ck_assert_int_ge(atoi(get(where).body + strlen(what)), ms);
}

START_TEST(what_becomes_of_a_letter_can_be_asked)
{
    expect_letter("", "delivered after ", 60);
    expect_letter("?to=nowhere", "connection refused after ", 2 * 20);
    expect_problem(get("/patterns/background/letters/0"), 404);
    expect_problem(get("/patterns/background/letters/123456789"), 404);
    expect_problem(get("/patterns/background/letters/friend"), 404);
}
END_TEST

START_TEST(only_so_many_are_under_way_at_once)
{
    answer a = { 0 };
    if (run_slowed())                        /* where they may end as fast as they come */
        return;
    for (int i = 0; i < 400 && a.status != 503; i++)
        a = post_letter("");
    expect_unavailable(a);
    ck_assert(eventually(10, (a = post_letter("")).status == 202));
}
END_TEST

/* What would be seen of one depends on the moment. */
START_TEST(a_server_that_stops_leaves_no_letter_behind)
{
    for (int round = 0; round < 4; round++) {
        server_start("letters", NULL);
        for (int i = 0; i < 4; i++)
            expect(post_letter(i % 2 ? "?to=nowhere" : ""), 202, "text/plain");
        server_stop();
        ck_assert(!server_log_has("work left"));
    }
}
END_TEST

Suite *bounds_suite(void)
{
    Suite *s = suite_create("bounds");
    for (int database = 0; database < 2; database++) {
        TCase *t = recorded_theme(s, database == 1);
        tcase_add_test(t, a_timeout_ends_the_query_in_the_database);
        tcase_add_test(t, nothing_goes_on_after_a_timeout);
        if (database == 1)
            continue;                        /* the rest asks no database */
        tcase_add_test(t, a_letter_outlives_its_request_and_one_that_fails_is_logged);
        tcase_add_test(t, what_becomes_of_a_letter_can_be_asked);
        tcase_add_test(t, only_so_many_are_under_way_at_once);
        tcase_add_test(t, a_semaphore_lets_in_no_more_than_it_may_first_come_first_served);
        tcase_add_test(t, a_queue_holds_its_producer_back_and_join_waits_for_what_is_done);
    }
    TCase *t = tcase_create("letters");
    tcase_add_test(t, a_server_that_stops_leaves_no_letter_behind);
    suite_add_tcase(s, t);
    return s;
}
