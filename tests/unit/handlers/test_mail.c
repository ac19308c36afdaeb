/* test_mail.c - letters that are sent in the background: how many, what becomes of them, and the end; with a loop and without. */
#include "handlers/mail.h"
#include "server/async/background.h"
#include "server/async/loop.h"
#include "server/async/task.h"
#include "server/async/timing.h"
#include "server/base/memory.h"
#include "tests/unit/suites.h"
#include "tests/support/support.h"

#include <semaphore.h>
#include <stdatomic.h>

enum { KNOWN = 256, AT_ONCE = 16 };

static mail       found;
static atomic_int ended, destroyed;
static sem_t      go_on, begun;

static void loop_setup(void) { loop_start(); }

static void setup(void)
{
    sem_init(&go_on, 0, 0);
    sem_init(&begun, 0, 0);
}

static void destroy(void *arg)
{
    (void)arg;
    destroyed++;
}

START_TEST(what_becomes_of_a_letter_is_known_until_many_others_came)
{
    const uint64_t first = mail_new();
    ck_assert(mail_find(first, &found));
    ck_assert_uint_eq(found.ended, 0);
    mail_ended(first, UV_ECONNREFUSED);
    ck_assert(mail_find(first, &found));
    ck_assert_uint_ge(found.ended, found.since);
    ck_assert_int_eq(found.outcome, UV_ECONNREFUSED);
    for (int i = 1; i < KNOWN; i++)
        mail_new();
    ck_assert(mail_find(first, &found));
    const uint64_t last = mail_new();
    ck_assert(!mail_find(first, &found));
    mail_ended(first, 0);                    /* in its place is another now */
    ck_assert(mail_find(last, &found));
    ck_assert_uint_eq(found.ended, 0);
}
END_TEST

START_TEST(there_is_no_letter_without_a_number_nor_one_that_was_never_sent)
{
    ck_assert(!mail_find(0, &found));
    ck_assert(!mail_find(mail_new() + 1, &found));
    ck_assert(!mail_find((uint64_t)-5, &found));
}
END_TEST

static int wait_long(void *arg)
{
    (void)arg;
    const int err = await(sleep_for(60000));
    ended++;
    return err;
}

START_TEST(on_a_loop_so_many_go_at_once_and_the_end_cancels_them)
{
    for (int i = 0; i < AT_ONCE; i++)
        ck_assert_int_eq(mail_send("letter", wait_long, NULL, destroy), 0);
    ck_assert_int_eq(mail_send("letter", wait_long, NULL, destroy), UV_EAGAIN);
    ck_assert_int_eq(outcome_of(mail_close()), 0);
    ck_assert_int_eq(ended, AT_ONCE);        /* each has seen it */
    ck_assert_int_eq(destroyed, AT_ONCE);
    ck_assert_int_eq(outcome_of(mail_close()), 0);           /* and there is none any more */
}
END_TEST

static int fall_ill(void *arg)
{
    (void)arg;
    return UV_EHOSTUNREACH;
}

START_TEST(one_that_fails_is_counted_and_logged)
{
    log_capture();
    const uint64_t before = background_failures();
    ck_assert_int_eq(mail_send("letter to nobody", fall_ill, NULL, destroy), 0);
    loop_run();
    ck_assert_uint_eq(background_failures(), before + 1);
    ck_assert_int_eq(log_times("letter to nobody"), 1);
    ck_assert_int_eq(destroyed, 1);
    ck_assert_int_eq(outcome_of(mail_close()), 0);
}
END_TEST

static int wait_for_word(void *arg)
{
    (void)arg;
    sem_post(&begun);
    while (sem_wait(&go_on))
        ;
    ended++;
    return 0;
}

START_TEST(a_blocking_thread_goes_on_meanwhile_and_waits_at_its_end)
{
    ck_assert_int_eq(mail_send("letter", wait_for_word, NULL, destroy), 0);
    sem_wait(&begun);                        /* so it runs beside this thread */
    ck_assert_int_eq(ended, 0);
    ck_assert_int_eq(mail_send("letter", wait_for_word, NULL, destroy), UV_EAGAIN);
    sem_post(&go_on);
    ck_assert_int_eq(outcome_now(mail_close()), 0);
    ck_assert_int_eq(ended, 1);
    ck_assert_int_eq(destroyed, 1);
    sem_post(&go_on);
    ck_assert_int_eq(mail_send("letter", wait_for_word, NULL, destroy), 0);  /* it is free again */
    ck_assert_int_eq(outcome_now(mail_close()), 0);
    ck_assert_int_eq(ended, 2);
}
END_TEST

Suite *mail_suite(void)
{
    Suite *s = suite_create("mail");
    TCase *t = tcase_create("loop");
    tcase_add_checked_fixture(t, loop_setup, NULL);
    tcase_add_test(t, on_a_loop_so_many_go_at_once_and_the_end_cancels_them);
    tcase_add_test(t, one_that_fails_is_counted_and_logged);
    suite_add_tcase(s, t);
    t = tcase_create("blocking thread");
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_test(t, what_becomes_of_a_letter_is_known_until_many_others_came);
    tcase_add_test(t, there_is_no_letter_without_a_number_nor_one_that_was_never_sent);
    tcase_add_test(t, a_blocking_thread_goes_on_meanwhile_and_waits_at_its_end);
    suite_add_tcase(s, t);
    return s;
}
