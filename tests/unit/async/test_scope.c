/* test_scope.c - for whom code runs, and its label, travel with the work. */
#include "server/async/chain.h"
#include "server/async/loop.h"
#include "server/async/scope.h"
#include "server/async/task.h"
#include "server/async/timing.h"
#include "server/async/unawaited.h"
#include "tests/unit/suites.h"
#include "tests/support/support.h"

#include <string.h>
#include <uv.h>

static int finished;

static void setup(void)
{
    log_capture();
    loop_start();
}

static void done(int err, void *arg)
{
    (void)arg;
    finished++;
    ck_assert_int_le(err, 0);
}

START_TEST(a_name_has_one_label_and_a_label_one_name)
{
    const label a = label_of("GET /a"), b = label_of("GET /b");
    ck_assert_uint_ne(a, b);
    ck_assert_uint_ne(a, 0);
    ck_assert_uint_eq(label_of("GET /a"), a);
    ck_assert_str_eq(label_name(a), "GET /a");
    ck_assert_str_eq(label_name(0), "other");
}
END_TEST

START_TEST(beyond_the_last_label_all_are_other)
{
    char name[32];
    for (int i = 0; i < LABELS + 10; i++) {
        snprintf(name, sizeof name, "label %d", i);
        const label l = label_of(name);
        ck_assert_str_eq(label_name(l), l ? name : "other");
    }
    ck_assert_uint_eq(label_of("one more"), 0);
    ck_assert_str_eq(label_name(label_of("label 7")), "label 7");
}
END_TEST

static label    seen;
static uint16_t seen_request;

static promise *look(void *arg)
{
    (void)arg;
    seen = scope_here()->label;
    seen_request = scope_here()->request;
    return promise_settled(0);
}

START_TEST(followers_have_the_label_of_the_promise_they_follow)
{
    const label l = label_of("GET /chain");
    fake f;
    scope_relabel(l);
    when_settled(then(fake_new(&f, 1), look, NULL), done, NULL);
    scope_relabel(0);
    promise_settle(f.promise, 0);
    loop_run();
    ck_assert_uint_eq(seen, l);
    ck_assert_uint_eq(scope_here()->label, 0);
    ck_assert_int_eq(finished, 1);
}
END_TEST

static int look_within(void *arg)
{
    (void)arg;
    await(sleep_for(1));
    await(look(NULL));
    ck_assert_str_eq(scope_here()->name, "within");
    return 0;
}

static int look_deeper(void *arg)
{
    await(sleep_for(1));
    return await(task_start("within", look_within, arg));
}

START_TEST(a_task_has_the_label_of_those_who_started_it)
{
    const label l = label_of("GET /task");
    scope_relabel(l);
    when_settled(task_start("deeper", look_deeper, NULL), done, NULL);
    scope_relabel(0);
    loop_run_skipping();
    ck_assert_uint_eq(seen, l);
    ck_assert_int_eq(finished, 1);
}
END_TEST

static fake late[2];

static void nothing(int err, void *arg) { (void)err, (void)arg; }

static int follow_one_and_wait_for_one(void *arg)
{
    (void)arg;
    when_settled(fake_new(&late[1], 1), nothing, NULL);
    return await(fake_new(&late[0], 1));
}

START_TEST(behind_a_follower_all_is_the_threads_again)
{
    int outcome = 1;
    when_settled(task_start("t", follow_one_and_wait_for_one, NULL), store, &outcome);
    loop_run();
    promise_settle(late[1].promise, 0);
    loop_run();
    ck_assert_ptr_eq(scope_here(), &scope_thread);
    promise_settle(late[0].promise, 0);
    loop_run();
    ck_assert_int_eq(outcome, 0);
}
END_TEST

static int leave_a_follower_behind(void *arg)
{
    when_settled(then(fake_new(arg, 1), look, NULL), done, NULL);
    return 0;
}

START_TEST(what_follows_when_its_owner_has_ended_is_done_by_the_thread_for_the_same)
{
    const record_for whom = { label_of("GET /left"), 7 };
    scope_be_for(whom);
    when_settled(task_start("t", leave_a_follower_behind, &late[0]), done, NULL);
    scope_be_for((record_for){ 0 });
    loop_run();
    ck_assert_int_eq(finished, 1);
    promise_settle(late[0].promise, 0);
    loop_run();
    ck_assert_int_eq(finished, 2);
    ck_assert_uint_eq(seen, whom.label);
    ck_assert_uint_eq(seen_request, whom.request);
    ck_assert_uint_eq(scope_here()->label, 0);
    ck_assert_uint_eq(scope_here()->request, 0);
    ck_assert_uint_eq(unawaited_count(), 0);
}
END_TEST

static void seen_stack(const char *name, const label_counts *c, void *arg)
{
    if (strcmp(name, "GET /counted") == 0)
        *(label_counts *)arg = *c;
}

START_TEST(counts_are_kept_by_label)
{
    const label l = label_of("GET /counted");
    label_counts c = { 0 };
    label_each(seen_stack, &c);
    ck_assert_uint_eq(c.blocked, 0);
    label_count_blocked(l);
    label_count_blocked(l);
    label_note_blocked(l, 30);
    label_note_blocked(l, 20);
    label_note_stack(l, 4000);
    label_note_stack(l, 3000);
    label_each(seen_stack, &c);
    ck_assert_uint_eq(c.blocked, 2);
    ck_assert_uint_eq(c.longest, 30);
    ck_assert_uint_eq(c.stack, 4000);
}
END_TEST

Suite *scope_suite(void)
{
    Suite *s = suite_create("scope");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_test(t, a_name_has_one_label_and_a_label_one_name);
    tcase_add_test(t, beyond_the_last_label_all_are_other);
    tcase_add_test(t, followers_have_the_label_of_the_promise_they_follow);
    tcase_add_test(t, a_task_has_the_label_of_those_who_started_it);
    tcase_add_test(t, behind_a_follower_all_is_the_threads_again);
    tcase_add_test(t, what_follows_when_its_owner_has_ended_is_done_by_the_thread_for_the_same);
    tcase_add_test(t, counts_are_kept_by_label);
    suite_add_tcase(s, t);
    return s;
}
