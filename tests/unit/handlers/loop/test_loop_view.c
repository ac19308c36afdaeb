/* test_loop_view.c - batches of what a loop did: whole turns, in order, bounded, and without those that are the viewer's own. */
#include "handlers/loop/loop_json.h"
#include "handlers/loop/loop_view.h"
#include "server/async/observe/loop_events.h"
#include "tests/unit/suites.h"

#include <jansson.h>

static loop_view v;
static label     own, other;

static void setup(void)
{
    own = label_of("GET /own");
    other = label_of("GET /other");
    recorder_begin("loop", (size_t)2 * LOOP_VIEW_READ * sizeof(record));
    ck_assert_int_eq(loop_view_begin(&v, 1, own), 0);
}

static void teardown(void)
{
    loop_view_end(&v);
    recorder_end();
}

static void add(record_kind kind, uint64_t since, int value, label whom, const char *what)
{
    recorder_add_detail(&(record){ since ? since : recorder_clock(), recorder_clock(), what, value, whom, (uint8_t)kind, 0 });
}

/* Sleeps, does so much for whom, and is about to sleep again. */
static void add_turn_begin(int number) { add(RECORD_SLEEP, 0, number, 0, NULL); }
static void add_turn_end(void)         { add(RECORD_PHASE, 0, LOOP_PREPARE, 0, NULL); }

static void add_turn(int number, label whom, int events)
{
    add_turn_begin(number);
    for (int i = 0; i < events; i++)
        add(RECORD_SETTLED, 0, 0, whom, "f");
    add_turn_end();
}

START_TEST(a_batch_has_whole_turns_and_the_rest_comes_with_the_next)
{
    setup();
    add(RECORD_SETTLED, 0, 0, other, "before the first turn");
    add_turn(1, other, 1);
    add_turn_begin(2);
    add(RECORD_SETTLED, 0, 0, other, "f");
    loop_view_collect(&v);
    ck_assert_int_eq(v.count, 3);
    ck_assert_int_eq(v.events[0].kind, RECORD_SLEEP);
    ck_assert_int_eq(v.events[2].turn, 1);
    loop_view_collect(&v);
    ck_assert_int_eq(v.count, 0);
    add(RECORD_SETTLED, 0, 0, other, "g");
    add_turn_end();
    loop_view_collect(&v);
    ck_assert_int_eq(v.count, 4);
    ck_assert_int_eq(v.events[0].turn, 2);
    ck_assert_str_eq(v.events[2].name, "g");
    ck_assert_uint_eq(v.events_left_out, 0);
    teardown();
}
END_TEST

START_TEST(what_holds_others_is_before_them_though_it_is_written_behind)
{
    setup();
    add_turn_begin(1);
    const uint64_t since = recorder_clock();
    add(RECORD_SETTLED, 0, 0, other, "inside");
    add(RECORD_RUN, since, 77, other, "task");
    add_turn_end();
    loop_view_collect(&v);
    ck_assert_int_eq(v.events[1].kind, RECORD_RUN);
    ck_assert_int_eq(v.events[1].number, 77);
    ck_assert_str_eq(v.events[1].whom, "GET /other");
    ck_assert_str_eq(v.events[2].name, "inside");
    ck_assert_uint_ge(v.events[1].at + v.events[1].took, v.events[2].at);
    teardown();
}
END_TEST

START_TEST(turns_of_the_viewer_alone_are_left_out_and_counted_and_in_others_it_is_marked)
{
    setup();
    add_turn(1, own, 2);
    add_turn(2, 0, 2);
    add_turn_begin(3);
    add(RECORD_SETTLED, 0, 0, own, "mine");
    add(RECORD_SETTLED, 0, 0, other, "theirs");
    add_turn_end();
    loop_view_collect(&v);
    ck_assert_int_eq(v.own_turns, 1);
    ck_assert_int_eq(v.events[0].turn, 2);   /* nobody's */
    ck_assert_int_eq(v.count, 8);
    ck_assert(v.events[5].own);
    ck_assert(!v.events[6].own);
    teardown();
}
END_TEST

START_TEST(of_more_than_fits_the_newest_whole_turns_are_told_and_the_others_counted)
{
    enum { EACH = 100, TURNS = 10, SIZE = EACH + 2 };
    setup();
    for (int i = 1; i <= TURNS; i++)
        add_turn(i, other, EACH);
    loop_view_collect(&v);
    const int fit = LOOP_VIEW_EVENTS / SIZE;
    ck_assert_int_eq(v.count, fit * SIZE);
    ck_assert_int_eq(v.events[0].turn, TURNS - fit + 1);
    ck_assert_int_eq(v.turns_left_out, TURNS - fit);
    ck_assert_uint_eq(v.events_left_out, (TURNS - fit) * SIZE);
    teardown();
}
END_TEST

START_TEST(a_turn_that_is_larger_than_a_batch_is_told_in_part)
{
    setup();
    add_turn(1, other, 2 * LOOP_VIEW_EVENTS);
    loop_view_collect(&v);
    ck_assert_int_eq(v.count, LOOP_VIEW_EVENTS);
    ck_assert_int_eq(v.events[0].kind, RECORD_SLEEP);
    ck_assert_uint_eq(v.events_left_out, LOOP_VIEW_EVENTS + 2);
    teardown();
}
END_TEST

START_TEST(what_the_ring_has_lost_is_counted_and_a_turn_of_which_something_is_missing_is_not_told)
{
    setup();
    add_turn_begin(1);
    loop_view_collect(&v);                   /* it is kept */
    for (int i = 0; i < 2 * LOOP_VIEW_READ; i++)
        add(RECORD_SETTLED, 0, 0, other, "f");
    add_turn_end();
    add_turn(2, other, 1);
    loop_view_collect(&v);
    ck_assert_int_eq(v.count, 3);
    ck_assert_int_eq(v.events[0].turn, 2);
    ck_assert_uint_ge(v.events_left_out, LOOP_VIEW_READ);
    teardown();
}
END_TEST

START_TEST(functions_and_places_are_named)
{
    setup();
    add_turn_begin(1);
    add(RECORD_READY_RAN, recorder_clock(), LOOP_READY, 0, (const char *)(uintptr_t)setup);
    add(RECORD_AWAIT, (uintptr_t)__builtin_return_address(0), 5, other, "sleep_for");
    add_turn_end();
    loop_view_collect(&v);
    ck_assert_str_eq(v.events[1].name, "setup");
    ck_assert_ptr_nonnull(strstr(v.events[1].place, "tests/unit/handlers/loop/test_loop_view.c:"));
    ck_assert_str_eq(v.events[2].name, "sleep_for");
    ck_assert_ptr_nonnull(v.events[2].place);
    teardown();
}
END_TEST

START_TEST(as_json_it_says_all_of_that)
{
    arena a;
    buffer b;
    json_error_t error;
    setup();
    add_turn(1, own, 1);
    add_turn_begin(2);
    add(RECORD_AWAIT, 0x10, 5, other, "sleep\"for");
    recorder_add_detail(&(record){ .end = recorder_clock(), .what = "q", .kind = RECORD_QUERY_RAN, .lane = 3, .value = -7 });
    add_turn_end();
    loop_view_collect(&v);
    arena_init(&a, NULL, 0);
    buffer_init(&b, &a);
    loop_view_write_json(&b, &v, 1);
    const text all = buffer_all(&b);
    json_t *const o = json_loadb(all.at, all.length, 0, &error);
    ck_assert_msg(o != NULL, "%s: %.*s", error.text, (int)all.length, all.at);
    ck_assert_int_eq(json_integer_value(json_object_get(o, "turns")), 1);
    ck_assert_int_eq(json_integer_value(json_object_get(o, "own_turns")), 1);
    json_t *const events = json_object_get(o, "events");
    json_t *const wait = json_array_get(events, 1), *const ran = json_array_get(events, 2);
    ck_assert_uint_eq(json_array_size(events), 4);
    ck_assert_str_eq(json_string_value(json_object_get(wait, "kind")), "await");
    ck_assert_str_eq(json_string_value(json_object_get(wait, "name")), "sleep\"for");
    ck_assert_int_eq(json_integer_value(json_object_get(wait, "task")), 5);
    ck_assert_int_eq(json_integer_value(json_object_get(ran, "lane")), 3);
    ck_assert_int_eq(json_integer_value(json_object_get(ran, "outcome")), -7);
    ck_assert_str_eq(json_string_value(json_object_get(json_array_get(events, 3), "phase")), "prepare");
    json_decref(o);
    arena_done(&a);
    teardown();
}
END_TEST

START_TEST(each_kind_has_a_name)
{
    for (int kind = RECORD_NONE + 1; kind < RECORD_KINDS; kind++)
        ck_assert_msg(loop_event_kind((record_kind)kind) != NULL, "kind %d has none", kind);
}
END_TEST

Suite *loop_view_suite(void)
{
    Suite *s = suite_create("loop_view");
    TCase *t = tcase_create("all");
    tcase_add_test(t, a_batch_has_whole_turns_and_the_rest_comes_with_the_next);
    tcase_add_test(t, what_holds_others_is_before_them_though_it_is_written_behind);
    tcase_add_test(t, turns_of_the_viewer_alone_are_left_out_and_counted_and_in_others_it_is_marked);
    tcase_add_test(t, of_more_than_fits_the_newest_whole_turns_are_told_and_the_others_counted);
    tcase_add_test(t, a_turn_that_is_larger_than_a_batch_is_told_in_part);
    tcase_add_test(t, what_the_ring_has_lost_is_counted_and_a_turn_of_which_something_is_missing_is_not_told);
    tcase_add_test(t, functions_and_places_are_named);
    tcase_add_test(t, as_json_it_says_all_of_that);
    tcase_add_test(t, each_kind_has_a_name);
    suite_add_tcase(s, t);
    return s;
}
