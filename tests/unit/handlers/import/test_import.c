/* test_import.c - the parts of an import: what a batch makes of its lines, and what a report says of them. */
#include "handlers/import/import_batch.h"
#include "handlers/import/import_report.h"
#include "server/http/message/status.h"

#include "server/base/errors.h"
#include "tests/support/support.h"
#include "tests/unit/suites.h"

#include <stdio.h>
#include <string.h>
#include <uv.h>

static arena a;

static void expect_text(text t, const char *expected)
{
    ck_assert_msg(text_equal(t, text_of(expected)), "%.*s instead of %s", (int)t.length, t.at, expected);
}

START_TEST(the_good_lines_of_a_batch_are_one_array_and_the_others_have_a_reason)
{
    static const char *const LINES[] = {
        "{\"user_id\": 1, \"title\": \"one\", \"body\": \"a \\\"b\\\"\"}",
        "{\"user_id\": 2, \"title\": \"\", \"body\": \"b\"}",
        "nonsense",
        "{\"user_id\": \"3\", \"title\": \"t\", \"body\": \"b\"}",
        "{\"body\": \"b\", \"title\": \"five \\u00e9\", \"more\": [], \"user_id\": 5}",
    };
    import_batch *b = import_batch_new(1);
    for (size_t i = 0; i < 5; i++)
        import_batch_add(b, i + 1, text_of(LINES[i]));
    ck_assert_int_eq(import_batch_check(b), 0);
    ck_assert_int_eq(b->good, 2);
    arena_init(&a, NULL, 0);
    expect_text(import_batch_json(b, 0, 2, &a), "[{\"user\":1,\"title\":\"one\",\"body\":\"a \\\"b\\\"\"},"
                                                "{\"user\":5,\"title\":\"five \u00e9\",\"body\":\"b\"}]");
    expect_text(import_batch_json(b, 1, 2, &a), "[{\"user\":5,\"title\":\"five \u00e9\",\"body\":\"b\"}]");
    ck_assert_uint_eq(b->lines[0].number, 1);
    ck_assert_uint_eq(b->lines[1].number, 5);
    unsigned refused = 0;
    for (int i = b->good; i < b->count; i++) {
        ck_assert_ptr_nonnull(b->lines[i].why);
        refused |= 1u << b->lines[i].number;
    }
    ck_assert_uint_eq(refused, 1u << 2 | 1u << 3 | 1u << 4);
    arena_done(&a);
    import_batch_free(b);
}
END_TEST

START_TEST(a_batch_is_full_by_its_lines_or_by_its_bytes)
{
    const text large = { zeros(IMPORT_BATCH_BYTES), IMPORT_BATCH_BYTES };
    import_batch *b = import_batch_new(1);
    for (uint64_t i = 1; i <= IMPORT_BATCH_LINES; i++) {
        ck_assert(!import_batch_is_full(b));
        import_batch_add(b, i, TEXT("{}"));
    }
    ck_assert(import_batch_is_full(b));
    import_batch_free(b);
    b = import_batch_new(1);
    import_batch_add(b, 1, TEXT("{}"));
    ck_assert(!import_batch_is_full(b));
    import_batch_add(b, 2, large);
    ck_assert(import_batch_is_full(b));
    import_batch_free(b);
}
END_TEST

START_TEST(a_report_lists_the_first_thousand_refusals_in_order_and_counts_all)
{
    arena_init(&a, NULL, 0);
    import_report r = { .arena = &a };
    char why[32];
    for (uint64_t i = 0; i < 3000; i++) {    /* each number from 1 to 3000, out of order */
        const uint64_t line = i * 7 % 3000 + 1;
        snprintf(why, sizeof why, "why %d", (int)line);
        import_report_refuse(&r, line, why);
    }
    ck_assert_uint_eq(r.refused, 3000);
    const text json = import_report_json(&r, 0);
    const char *at = json.at;
    for (int line = 1; line <= IMPORT_REFUSALS_LISTED; line++) {
        char item[64];
        snprintf(item, sizeof item, "{\"line\":%d,\"why\":\"why %d\"}", line, line);
        at = memmem(at, (size_t)(json.at + json.length - at), item, strlen(item));
        ck_assert_msg(at != NULL, "%s is not there, or not in its place", item);
    }
    ck_assert_ptr_null(memmem(json.at, json.length, "\"line\":1001,", 12));
    arena_done(&a);
}
END_TEST

START_TEST(what_is_missing_is_told_in_as_few_stretches_as_can_be)
{
    arena_init(&a, NULL, 0);
    import_report r = { .arena = &a, .lines = 100, .stored = 60 };
    import_report_missing(&r, 31, 40);
    import_report_missing(&r, 11, 20);
    import_report_missing(&r, 51, 60);
    import_report_missing(&r, 21, 29);
    import_report_uncertain(&r, 61, 62);
    const char *as_json = "\"missing\":[{\"from\":11,\"to\":29},{\"from\":31,\"to\":40},{\"from\":51,\"to\":60}],"
                          "\"uncertain\":[{\"from\":61,\"to\":62}],\"lines\":100,";
    text json = import_report_json(&r, ERR_UNCERTAIN);
    ck_assert_msg(memmem(json.at, json.length, as_json, strlen(as_json)), "%.*s", (int)json.length, json.at);
    ck_assert_ptr_nonnull(memmem(json.at, json.length, "\"status\":502,", 13));
    import_report_missing(&r, 30, 50);
    json = import_report_json(&r, ERR_UNCERTAIN);
    ck_assert_ptr_nonnull(memmem(json.at, json.length, "\"missing\":[{\"from\":11,\"to\":60}]", 31));
    arena_done(&a);
}
END_TEST

Suite *import_suite(void)
{
    Suite *s = suite_create("import");
    TCase *t = tcase_create("all");
    tcase_add_test(t, the_good_lines_of_a_batch_are_one_array_and_the_others_have_a_reason);
    tcase_add_test(t, a_batch_is_full_by_its_lines_or_by_its_bytes);
    tcase_add_test(t, a_report_lists_the_first_thousand_refusals_in_order_and_counts_all);
    tcase_add_test(t, what_is_missing_is_told_in_as_few_stretches_as_can_be);
    suite_add_tcase(s, t);
    return s;
}
