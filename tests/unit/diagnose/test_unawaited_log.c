/* test_unawaited_log.c - what nobody awaits is logged with its line, and not too often. */
#include "server/diagnose/unawaited_log.h"
#include "server/async/loop.h"
#include "server/async/task.h"
#include "server/async/timing.h"
#include "tests/unit/suites.h"
#include "tests/support/support.h"

#include <string.h>

static void setup(void)
{
    log_capture();
    loop_start();
    unawaited_log_install();
}

static int forgetful(void *arg)
{
    promise *kept = sleep_for(5);
    (void)kept, (void)arg;
    const int line = __LINE__ - 2;
    return -line;
}

START_TEST(a_task_that_forgets_a_promise_is_logged_with_the_line)
{
    char expected[160];
    int line = 1;
    scope_relabel(label_of("GET /forgetful"));
    when_settled(task_start("forgetful task", forgetful, NULL), store, &line);
    scope_relabel(0);
    loop_run();                              /* waits for no sleep that nobody awaits */
    snprintf(expected, sizeof expected,
             "sleep_for() was called at tests/unit/diagnose/test_unawaited_log.c:%d by forgetful task and never awaited "
             "(GET /forgetful)", -line);
    ck_assert_msg(strstr(log_captured(), expected), "not in the log: %s\n%s", expected, log_captured());
    ck_assert_uint_eq(unawaited_count(), 1);
}
END_TEST

static int forget_what_has_settled(void *arg)
{
    promise *kept = promise_settled(0);
    (void)kept, (void)arg;
    return 0;
}

START_TEST(one_place_is_logged_once_a_second_with_how_often)
{
    int err;
    clock_hold();                            /* to find the line takes as long as it may */
    for (int i = 0; i < 5; i++) {
        when_settled(task_start("t", forget_what_has_settled, NULL), store, &err);
        loop_run();
    }
    ck_assert_int_eq(log_times("never awaited"), 1);
    ck_assert_uint_eq(unawaited_count(), 5);
    ck_assert_uint_eq(unawaited_log_flush(true), UINT64_MAX);
    ck_assert_int_eq(log_times("never awaited"), 2);
    ck_assert_ptr_nonnull(strstr(log_captured(), "never awaited, 4 times"));
    clock_skip(999);
    when_settled(task_start("t", forget_what_has_settled, NULL), store, &err);
    loop_run();
    ck_assert_int_eq(log_times("never awaited"), 2);
    ck_assert_uint_eq(unawaited_log_flush(false), 1);        /* ms from now */
    clock_skip(1);
    ck_assert_uint_eq(unawaited_log_flush(false), UINT64_MAX);
    ck_assert_int_eq(log_times("never awaited"), 3);
}
END_TEST

Suite *unawaited_log_suite(void)
{
    Suite *s = suite_create("unawaited_log");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_test(t, a_task_that_forgets_a_promise_is_logged_with_the_line);
    tcase_add_test(t, one_place_is_logged_once_a_second_with_how_often);
    suite_add_tcase(s, t);
    return s;
}
