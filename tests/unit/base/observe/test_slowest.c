/* test_slowest.c - the slowest requests of a route are kept, with what was done for each of them and for no other. */
#include "server/base/observe/slowest.h"
#include "tests/unit/suites.h"

#include <string.h>

enum { ENTRIES = 1024, SIZE = ENTRIES * sizeof(record), ROUTE = 7, OTHER_ROUTE = 8, NUMBER = 9, OTHER_NUMBER = 10 };

static const uint64_t MS = 1000000;
static slow_request found[SLOWEST_KEPT];

static void begin(void)
{
    recorder_begin("test", SIZE);
    slowest_forget_all();
}

static void end(void)
{
    slowest_forget_all();
    recorder_end();
}

/* Until both of the recorder's clocks say that so much time has passed. */
static void pass(uint64_t ns)
{
    for (const uint64_t since = uv_hrtime(); uv_hrtime() - since < ns;)
        ;
}

static void did(record_kind kind, const char *what, uint16_t label, uint16_t request)
{
    const uint64_t since = recorder_clock();
    pass(20000);
    recorder_add(kind, since, what, (record_for){ label, request }, 0);
}

/* False: it is not its turn yet. */
static bool is_told(const slowest_ended *e)
{
    return !slowest_is(e->whom.label, e->took, e->started + e->took) || slowest_keep(e);
}

static void ended(uint16_t label, uint16_t number, uint64_t started, const void *connection)
{
    const uint64_t clock = recorder_clock();
    slowest_ended e = { { label, number }, started, recorder_ns(clock) - started, clock, 0, connection };
    recorder_add_here(RECORD_REQUEST, started, clock, NULL, e.whom, 0);
    while (!is_told(&e)) {                   /* it goes on: both clocks tell of the same moment */
        e.clock = recorder_clock();
        e.took = recorder_ns(e.clock) - started;
    }
}

/* One that has taken so long by now. */
static void ended_after(uint64_t ns)
{
    slowest_ended e = { .whom = { ROUTE, 0 }, .took = ns };
    do {
        e.clock = recorder_clock();
        e.started = recorder_ns(e.clock) - ns;
    } while (!is_told(&e));
}

START_TEST(what_was_done_for_a_request_is_kept_with_it_and_nothing_of_others)
{
    begin();
    did(RECORD_QUERY, "before", ROUTE, NUMBER);
    pass(100000);
    const uint64_t started = uv_hrtime();
    did(RECORD_QUERY, "mine", ROUTE, NUMBER);
    did(RECORD_QUERY, "of another", ROUTE, OTHER_NUMBER);
    did(RECORD_QUERY, "of another route", OTHER_ROUTE, NUMBER);
    did(RECORD_SETTLED, "no span", ROUTE, NUMBER);
    did(RECORD_JOB, "mine, too", ROUTE, NUMBER);
    ended(ROUTE, NUMBER, started, NULL);
    ck_assert_int_eq(slowest_of(OTHER_ROUTE, found), 0);
    ck_assert_int_eq(slowest_of(ROUTE, found), 1);
    ck_assert_int_eq(found->count, 2);
    ck_assert_int_eq(found->left_out, 0);
    ck_assert(!found->partial);
    ck_assert_str_eq(record_what(&found->spans[0]), "mine");
    ck_assert_str_eq(record_what(&found->spans[1]), "mine, too");
    ck_assert_int_eq(found->spans[1].kind, RECORD_JOB);
    for (int i = 0; i < 2; i++) {
        ck_assert_uint_lt(found->spans[i].since, found->spans[i].end);
        ck_assert_uint_le(found->spans[i].end, found->took + 5000);
    }
    ck_assert_uint_le(found->spans[0].end, found->spans[1].since + 5000);
    end();
}
END_TEST

START_TEST(what_another_did_that_had_the_same_number_meanwhile_is_not_its_own)
{
    begin();
    const uint64_t started = uv_hrtime();
    did(RECORD_QUERY, "mine", ROUTE, NUMBER);
    const uint64_t other = uv_hrtime();
    did(RECORD_QUERY, "another's", ROUTE, NUMBER);
    recorder_add(RECORD_REQUEST, other, NULL, (record_for){ ROUTE, NUMBER }, 0);
    pass(20000);
    ended(ROUTE, NUMBER, started, NULL);
    ck_assert_int_eq(slowest_of(ROUTE, found), 1);
    ck_assert_int_eq(found->count, 1);
    ck_assert_str_eq(record_what(&found->spans[0]), "mine");
    end();
}
END_TEST

START_TEST(of_a_route_the_slowest_are_kept_in_order_and_no_more)
{
    begin();
    for (uint64_t ms = 1; ms <= 3 * SLOWEST_KEPT; ms++)
        ended_after(ms * 10 * MS);
    ended_after(5 * MS);
    ck_assert_int_eq(slowest_of(ROUTE, found), SLOWEST_KEPT);
    for (int i = 0; i < SLOWEST_KEPT; i++)
        ck_assert_uint_eq(found[i].took / (10 * MS), (uint64_t)(3 * SLOWEST_KEPT - i));
    end();
}
END_TEST

START_TEST(once_there_are_enough_only_a_slower_one_is_looked_at)
{
    begin();
    const uint64_t now = uv_hrtime();
    ck_assert(slowest_is(ROUTE, 1, now));
    for (int i = 0; i < SLOWEST_KEPT; i++)
        ended_after(10 * MS);
    ck_assert(!slowest_is(ROUTE, 9 * MS, now));
    ck_assert(slowest_is(ROUTE, 11 * MS, now));
    ck_assert(slowest_is(OTHER_ROUTE, 1, now));
    ck_assert(slowest_is(ROUTE, 1, uv_hrtime() + SLOWEST_AGE));
    end();
}
END_TEST

START_TEST(what_was_kept_long_ago_gives_way_to_what_is_quicker)
{
    begin();
    for (int i = 0; i < SLOWEST_KEPT; i++)
        ended_after(100 * MS);
    const uint64_t later = uv_hrtime() + SLOWEST_AGE;        /* so long ago the machine may not have been running yet */
    while (!slowest_keep(&(slowest_ended){ { ROUTE, 0 }, later, 2 * MS, recorder_clock(), 0, NULL }))
        ;
    ck_assert_int_eq(slowest_of(ROUTE, found), SLOWEST_KEPT);
    ck_assert_uint_lt(found[SLOWEST_KEPT - 1].took, 100 * MS);
    end();
}
END_TEST

START_TEST(one_whose_beginning_the_recorder_has_forgotten_is_partial)
{
    begin();
    const uint64_t started = uv_hrtime();
    did(RECORD_QUERY, "long gone", ROUTE, NUMBER);
    for (int i = 0; i < ENTRIES; i++)
        recorder_add(RECORD_QUERY, recorder_clock(), "others", (record_for){ OTHER_ROUTE, OTHER_NUMBER }, 0);
    did(RECORD_QUERY, "mine", ROUTE, NUMBER);
    ended(ROUTE, NUMBER, started, NULL);
    ck_assert_int_eq(slowest_of(ROUTE, found), 1);
    ck_assert(found->partial);
    ck_assert_int_eq(found->count, 1);
    ck_assert_str_eq(record_what(&found->spans[0]), "mine");
    end();
}
END_TEST

START_TEST(of_more_spans_than_there_is_room_for_the_longest_are_kept_and_the_others_counted)
{
    enum { MORE = 20 };
    begin();
    const uint64_t started = uv_hrtime();
    did(RECORD_QUERY, "long", ROUTE, NUMBER);
    for (int i = 0; i < SLOWEST_SPANS + MORE - 1; i++)
        recorder_add(RECORD_QUERY, recorder_clock(), "short", (record_for){ ROUTE, NUMBER }, 0);
    ended(ROUTE, NUMBER, started, NULL);
    ck_assert_int_eq(slowest_of(ROUTE, found), 1);
    ck_assert_int_eq(found->count, SLOWEST_SPANS);
    ck_assert_int_eq(found->left_out, MORE);
    ck_assert_str_eq(record_what(&found->spans[0]), "long");
    end();
}
END_TEST

START_TEST(how_long_its_answer_took_to_be_written_is_known_once_it_is)
{
    const int connection = 0;
    begin();
    ended(ROUTE, 0, uv_hrtime() - MS, &connection);
    ck_assert_int_eq(slowest_of(ROUTE, found), 1);
    ck_assert_uint_eq(found->wrote, SLOWEST_WRITING);
    pass(MS);
    slowest_written(&connection, true);
    slow_request again;
    ck_assert(slowest_find(found->id, &again));
    ck_assert_uint_ge(again.wrote, MS);
    ck_assert_uint_lt(again.wrote, SLOWEST_WRITING);
    ck_assert_int_eq(slowest_writing, 0);
    end();
}
END_TEST

START_TEST(an_answer_that_never_arrived_was_not_written)
{
    const int connection = 0;
    begin();
    ended(ROUTE, 0, uv_hrtime() - MS, &connection);
    slowest_written(&connection, false);
    slowest_written(&connection, true);
    ck_assert_int_eq(slowest_of(ROUTE, found), 1);
    ck_assert_uint_eq(found->wrote, SLOWEST_WRITING);
    ck_assert(!slowest_find(found->id + 1, &found[1]));
    end();
}
END_TEST

Suite *slowest_suite(void)
{
    Suite *s = suite_create("slowest");
    TCase *t = tcase_create("slowest");
    tcase_add_test(t, what_was_done_for_a_request_is_kept_with_it_and_nothing_of_others);
    tcase_add_test(t, what_another_did_that_had_the_same_number_meanwhile_is_not_its_own);
    tcase_add_test(t, of_a_route_the_slowest_are_kept_in_order_and_no_more);
    tcase_add_test(t, once_there_are_enough_only_a_slower_one_is_looked_at);
    tcase_add_test(t, what_was_kept_long_ago_gives_way_to_what_is_quicker);
    tcase_add_test(t, one_whose_beginning_the_recorder_has_forgotten_is_partial);
    tcase_add_test(t, of_more_spans_than_there_is_room_for_the_longest_are_kept_and_the_others_counted);
    tcase_add_test(t, how_long_its_answer_took_to_be_written_is_known_once_it_is);
    tcase_add_test(t, an_answer_that_never_arrived_was_not_written);
    suite_add_tcase(s, t);
    return s;
}
