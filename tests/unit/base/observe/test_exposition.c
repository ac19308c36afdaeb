/* test_exposition.c - metrics are written as Prometheus reads them. */
#include "server/base/observe/exposition.h"
#include "tests/unit/suites.h"

#include <string.h>

static arena      room;
static exposition e;

static void begin(void)
{
    arena_init(&room, NULL, 0);
    exposition_init(&e, &room);
}

static void end(void) { arena_done(&room); }

static const char *written(void) { return arena_copy(&room, buffer_all(&e.text)); }

START_TEST(a_family_says_what_it_is_and_then_its_samples)
{
    exposition_begin(&e, &(metric){ "jobs_total", "counter", "Jobs that have ended." });
    exposition_number(&e, exposition_labels(&e, "lane", "cpu", "place", "pool", NULL), 812);
    exposition_number(&e, TEXT(""), UINT64_MAX);
    ck_assert_str_eq(written(), "# HELP jobs_total Jobs that have ended.\n# TYPE jobs_total counter\n"
                      "jobs_total{lane=\"cpu\",place=\"pool\"} 812\njobs_total 18446744073709551615\n");
}
END_TEST

START_TEST(a_label_may_be_any_text)
{
    exposition_begin(&e, &(metric){ "a", "gauge", "b" });
    exposition_number(&e, exposition_labels(&e, "name", "a \"quoted\" \\ and\nanother line, gr\xc3\xbc\xc3\x9f", NULL), 1);
    ck_assert_str_eq(written(), "# HELP a b\n# TYPE a gauge\n"
                      "a{name=\"a \\\"quoted\\\" \\\\ and\\nanother line, gr\xc3\xbc\xc3\x9f\"} 1\n");
}
END_TEST

START_TEST(nanoseconds_become_seconds)
{
    exposition_begin(&e, &(metric){ "a_seconds", "gauge", "b" });
    exposition_seconds(&e, TEXT(""), 1);
    exposition_seconds(&e, TEXT(""), 12345678901);
    ck_assert_str_eq(written(), "# HELP a_seconds b\n# TYPE a_seconds gauge\na_seconds 0.000000001\na_seconds 12.345678901\n");
}
END_TEST

START_TEST(the_buckets_of_a_histogram_have_those_before_them_in_them)
{
    static const char *const BOUNDS[] = { "0.001", "0.002", "+Inf" };
    exposition_begin(&e, &(metric){ "a_seconds", "histogram", "b" });
    exposition_histogram(&e, exposition_labels(&e, "c", "d", NULL), BOUNDS, (const uint64_t[]){ 3, 0, 2 }, 3, 1500000000);
    ck_assert_str_eq(written(), "# HELP a_seconds b\n# TYPE a_seconds histogram\n"
                      "a_seconds_bucket{c=\"d\",le=\"0.001\"} 3\na_seconds_bucket{c=\"d\",le=\"0.002\"} 3\n"
                      "a_seconds_bucket{c=\"d\",le=\"+Inf\"} 5\n"
                      "a_seconds_sum{c=\"d\"} 1.500000000\na_seconds_count{c=\"d\"} 5\n");
}
END_TEST

START_TEST(durations_end_with_all_and_their_sum)
{
    durations d = { 0 };
    duration_sums s = { .count = 0 };
    durations_add(false, &d, 40000);
    durations_add(false, &d, 60000000000);
    duration_sums_add(&s, &d);
    exposition_begin(&e, &(metric){ "a_seconds", "histogram", "b" });
    exposition_durations(&e, TEXT(""), &s);
    ck_assert_ptr_nonnull(strstr(written(), "a_seconds_bucket{le=\"5e-05\"} 1\n"));
    ck_assert_ptr_nonnull(strstr(written(), "a_seconds_bucket{le=\"30\"} 1\na_seconds_bucket{le=\"+Inf\"} 2\n"
                                            "a_seconds_sum 60.000040000\na_seconds_count 2\n"));
}
END_TEST

Suite *exposition_suite(void)
{
    Suite *s = suite_create("exposition");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, begin, end);
    tcase_add_test(t, a_family_says_what_it_is_and_then_its_samples);
    tcase_add_test(t, a_label_may_be_any_text);
    tcase_add_test(t, nanoseconds_become_seconds);
    tcase_add_test(t, the_buckets_of_a_histogram_have_those_before_them_in_them);
    tcase_add_test(t, durations_end_with_all_and_their_sum);
    suite_add_tcase(s, t);
    return s;
}
