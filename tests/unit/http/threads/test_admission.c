/* test_admission.c - blocking threads that need what there is too little of: who begins, and what the others are told. */
#include "server/base/blocking_wait.h"
#include "server/http/threads/admission.h"
#include "server/base/overload/refusal.h"
#include "tests/unit/suites.h"
#include "tests/support/support.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

static thread_admission all;
static resource  *mine;                      /* the only one, which the test has */
static atomic_int turns;

static struct waiter { pthread_t thread; bool more; int err, turn; } waiters[2];

static void begin(int line, codel patience)
{
    thread_admission_init(&all, 1, line, patience);
    ck_assert_int_eq(thread_admission_acquire(&all, false, &mine), 0);
}

static void end(void)
{
    thread_admission_release(&all, mine);
    for (int i = 0; i < 2; i++)
        if (waiters[i].thread)
            pthread_join(waiters[i].thread, NULL);
    thread_admission_done(&all);
}

static void *work(void *arg)
{
    struct waiter *w = arg;
    resource *permit;
    w->err = thread_admission_acquire(&all, w->more, &permit);
    if (w->err)
        return NULL;
    w->turn = atomic_fetch_add(&turns, 1);
    thread_admission_release(&all, permit);
    return NULL;
}

static void line_up(int i, bool more)        /* returns when it is in line */
{
    waiters[i].more = more;
    ck_assert_int_eq(pthread_create(&waiters[i].thread, NULL, work, &waiters[i]), 0);
    while (resource_pool_waiting(&all.pool) <= i)
        sched_yield();
}

/* One who is refused, which is counted, and remembers that it waited. */
static void expect_refused(refusal kind, uint64_t waited_ms)
{
    resource *none;
    const uint64_t before = refusal_look(kind).count;
    ck_assert_int_eq(thread_admission_acquire(&all, false, &none), REFUSED(kind));
    ck_assert_uint_eq(refusal_look(kind).count, before + 1);
    ck_assert_uint_ge(refusal_look(kind).waited, waited_ms * 1000000);
}

START_TEST(as_many_begin_as_there_are_permits_and_one_more_when_one_comes_back)
{
    resource *two[2], *third;
    thread_admission_init(&all, 2, 0, (codel){ 0 });
    for (int round = 0; round < 2; round++) {
        ck_assert_int_eq(thread_admission_acquire(&all, false, &two[0]) | thread_admission_acquire(&all, true, &two[1]), 0);
        ck_assert_ptr_ne(two[0], two[1]);
        ck_assert_int_lt(thread_admission_acquire(&all, false, &third), 0);
        thread_admission_release(&all, two[0]);
        ck_assert_int_eq(thread_admission_acquire(&all, false, &third), 0);
        thread_admission_release(&all, third);
        thread_admission_release(&all, two[1]);
    }
    thread_admission_done(&all);
}
END_TEST

START_TEST(a_full_line_refuses_at_once)
{
    begin(1, (codel){ 0 });
    line_up(0, false);
    expect_refused(REFUSED_DATABASE_LINE, 0);
    end();
    ck_assert_int_eq(waiters[0].err, 0);
}
END_TEST

START_TEST(in_a_burst_one_waits_up_to_the_line_timeout)
{
    begin(1, codel_of_ms(0, 5));
    expect_refused(REFUSED_DATABASE_TIMEOUT, 5);
    end();
}
END_TEST

START_TEST(while_the_line_stands_nobody_waits_longer_than_the_target)
{
    clock_hold();                            /* it does not stand yet */
    begin(2, codel_of_ms(1, 60000));
    line_up(0, false);
    ck_assert_uint_eq(thread_admission_worth(&all), UINT64_MAX);
    clock_skip(CODEL_INTERVAL / 1000000);
    ck_assert_uint_eq(thread_admission_worth(&all), 1);
    clock_tick(1);
    expect_refused(REFUSED_DATABASE_WAIT, 1);
    end();
    ck_assert_int_eq(waiters[0].err, 0);
}
END_TEST

START_TEST(who_has_sent_more_than_one_goes_after_those_who_have_not)
{
    begin(2, (codel){ 0 });
    line_up(0, true);
    line_up(1, false);
    end();
    ck_assert_int_eq(waiters[0].err | waiters[1].err, 0);
    ck_assert_int_eq(waiters[0].turn, 1);
    ck_assert_int_eq(waiters[1].turn, 0);
}
END_TEST

START_TEST(a_deadline_or_the_end_of_the_client_ends_the_wait)
{
    resource *none;
    int ends[2];
    begin(1, (codel){ 0 });
    blocking_limit(deadline_in(1));
    ck_assert_int_eq(thread_admission_acquire(&all, false, &none), UV_ETIMEDOUT);
    blocking_limit(NO_DEADLINE);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    blocking_follow(ends[0], 0);
    close(ends[1]);
    ck_assert_int_eq(thread_admission_acquire(&all, false, &none), UV_ECANCELED);
    blocking_follow(-1, 0);
    close(ends[0]);
    end();
}
END_TEST

Suite *thread_admission_suite(void)
{
    Suite *s = suite_create("thread_admission");
    TCase *t = tcase_create("all");
    tcase_add_test(t, as_many_begin_as_there_are_permits_and_one_more_when_one_comes_back);
    tcase_add_test(t, a_full_line_refuses_at_once);
    tcase_add_test(t, in_a_burst_one_waits_up_to_the_line_timeout);
    tcase_add_test(t, while_the_line_stands_nobody_waits_longer_than_the_target);
    tcase_add_test(t, who_has_sent_more_than_one_goes_after_those_who_have_not);
    tcase_add_test(t, a_deadline_or_the_end_of_the_client_ends_the_wait);
    suite_add_tcase(s, t);
    return s;
}
