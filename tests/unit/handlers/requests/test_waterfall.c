/* test_waterfall.c - what was kept of a request becomes rows: what overlaps has rows of its own, what follows shares one. */
#include "handlers/requests/places.h"
#include "handlers/requests/waterfall.h"
#include "tests/unit/suites.h"

#include <jansson.h>
#include <string.h>

static const uint64_t MS = 1000000;
static slow_request request;
static waterfall    made;

static void span(record_kind kind, const char *what, uint64_t since, uint64_t end, int value, uint8_t queued)
{
    request.spans[request.count++] = (record){ since * MS, end * MS, what, value, 0, (uint8_t)kind, queued };
}

static const waterfall_row *row(int i) { return &made.rows[i]; }

static void setup(void)
{
    request = (slow_request){ .id = 5, .took = 100 * MS, .wrote = SLOWEST_WRITING };
}

START_TEST(what_runs_side_by_side_has_rows_of_its_own_and_what_follows_shares_one)
{
    span(RECORD_RUN, "task", 0, 1, 77, 0);
    span(RECORD_QUERY, "user", 1, 10, 0, 0);
    span(RECORD_QUERY, "user", 2, 20, 0, 0);
    span(RECORD_RUN, "other task", 3, 4, 78, 0);
    span(RECORD_RUN, "task", 20, 21, 77, 0);
    span(RECORD_QUERY, "user", 21, 30, -3, 0);
    waterfall_make(&made, &request);
    ck_assert_int_eq(made.row_count, 5);
    ck_assert_int_eq(row(0)->kind, WATERFALL_WHOLE);
    ck_assert_int_eq(row(1)->kind, WATERFALL_RUNS);
    ck_assert_int_eq(row(1)->count, 2);
    ck_assert_uint_eq(row(1)->total, 2 * MS);
    ck_assert_int_eq(row(2)->kind, WATERFALL_QUERY);
    ck_assert_int_eq(row(2)->count, 2);
    ck_assert_int_eq(row(2)->outcome, -3);
    ck_assert_int_eq(row(3)->count, 1);
    ck_assert_str_eq(row(4)->what, "other task");
    ck_assert_int_eq(made.span_count, 7);
}
END_TEST

START_TEST(of_a_query_it_is_shown_for_how_long_it_waited_its_turn)
{
    span(RECORD_QUERY, "user", 10, 20, 0, 51);               /* a fifth of 255 */
    span(RECORD_JOB, "cpu", 20, 40, 0, 255);
    span(RECORD_WAITED, "site_query", 10, 20, 0, 51);        /* of an await that byte means nothing */
    waterfall_make(&made, &request);
    ck_assert_uint_ge(row(1)->queued, 19 * MS / 10);
    ck_assert_uint_le(row(1)->queued, 2 * MS);
    ck_assert_uint_ge(row(2)->queued, 199 * MS / 10);
    ck_assert_uint_eq(row(3)->queued, 0);
}
END_TEST

START_TEST(the_writing_of_the_answer_comes_behind_its_handler_once_it_is_known)
{
    waterfall_make(&made, &request);
    ck_assert_int_eq(made.row_count, 1);
    ck_assert_uint_eq(made.end, 100 * MS);
    request.wrote = 7 * MS;
    waterfall_make(&made, &request);
    ck_assert_int_eq(made.row_count, 2);
    ck_assert_int_eq(row(1)->kind, WATERFALL_WRITE);
    ck_assert_uint_eq(made.end, 107 * MS);
}
END_TEST

START_TEST(as_many_spans_as_are_kept_have_room_each_in_a_row)
{
    for (int i = 0; i < SLOWEST_SPANS; i++)
        span(RECORD_QUERY, "user", 1, 10, 0, 0);
    request.wrote = 1;
    waterfall_make(&made, &request);
    ck_assert_int_eq(made.row_count, WATERFALL_SPANS);
    ck_assert_int_eq(made.span_count, WATERFALL_SPANS);
}
END_TEST

START_TEST(its_json_and_its_drawing_tell_of_each_row_and_nothing_in_them_is_markup)
{
    arena a;
    buffer b;
    arena_init(&a, NULL, 0);
    buffer_init(&b, &a);
    span(RECORD_QUERY, "<script>&\"", 1, 10, 0, 0);
    waterfall_make(&made, &request);
    waterfall_json(&b, &made);
    json_t *const it = json_loadb(b.at, b.length, 0, NULL);
    ck_assert_ptr_nonnull(it);
    const json_t *const second = json_array_get(json_object_get(it, "rows"), 1);
    ck_assert_str_eq(json_string_value(json_object_get(second, "what")), "<script>&\"");
    ck_assert_double_eq(json_real_value(json_object_get(second, "total_ms")), 9);
    json_decref(it);

    buffer_init(&b, &a);
    waterfall_draw(&b, &made);
    waterfall_table(&b, &made);
    buffer_text(&b, (text){ "", 1 });
    ck_assert_ptr_null(strstr(b.at, "<script"));
    ck_assert_ptr_nonnull(strstr(b.at, "query &lt;script&gt;&amp;&quot;"));
    ck_assert_ptr_nonnull(strstr(b.at, "9.000 ms"));
    arena_done(&a);
}
END_TEST

START_TEST(the_text_of_a_line_is_that_of_the_source)
{
    const text line = place_line("handlers/users/user_page.c:1");
    ck_assert_uint_gt(line.length, 20);
    ck_assert_int_eq(strncmp(line.at, "/* user_page.c - ", 17), 0);
    ck_assert_uint_eq(place_line("handlers/users/user_page.c:99999").length, 0);
    ck_assert_uint_eq(place_line("handlers/users/user_page.c").length, 0);
    ck_assert_uint_eq(place_line("/etc/passwd:1").length, 0);
    ck_assert_uint_eq(place_line("").length, 0);
}
END_TEST

Suite *waterfall_suite(void)
{
    Suite *s = suite_create("waterfall");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_test(t, what_runs_side_by_side_has_rows_of_its_own_and_what_follows_shares_one);
    tcase_add_test(t, of_a_query_it_is_shown_for_how_long_it_waited_its_turn);
    tcase_add_test(t, the_writing_of_the_answer_comes_behind_its_handler_once_it_is_known);
    tcase_add_test(t, as_many_spans_as_are_kept_have_room_each_in_a_row);
    tcase_add_test(t, its_json_and_its_drawing_tell_of_each_row_and_nothing_in_them_is_markup);
    tcase_add_test(t, the_text_of_a_line_is_that_of_the_source);
    suite_add_tcase(s, t);
    return s;
}
