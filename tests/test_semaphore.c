/* test_semaphore.c - permits, the line, its bound, timeouts in line. */
#include "server/async/loop.h"
#include "server/async/semaphore.h"
#include "server/async/task.h"
#include "server/async/timing.h"

#include "suites.h"

static semaphore *s;
static int inside, most, entered;

static int worker(void *arg)
{
    (void)arg;
    int err = await(semaphore_enter(s));
    if (err)
        return err;
    entered++;
    if (++inside > most)
        most = inside;
    await(sleep_for(1));
    inside--;
    semaphore_leave(s);
    return 0;
}

static void store(int err, void *arg) { *(int *)arg = err; }

START_TEST(at_most_three_are_inside_and_everyone_gets_in)
{
    int err[20];
    loop_start();
    s = semaphore_new(3, 100);
    for (int i = 0; i < 20; i++)
        when_settled(task_start("worker", worker, NULL), store, &err[i]);
    loop_run();
    for (int i = 0; i < 20; i++)
        ck_assert_int_eq(err[i], 0);
    ck_assert_int_eq(most, 3);
    ck_assert_int_eq(entered, 20);
    semaphore_free(s);
}
END_TEST

START_TEST(a_full_line_refuses_and_a_timeout_leaves_it)
{
    int ok = 1, late = 1, refused = 1;
    loop_start();
    s = semaphore_new(1, 1);
    when_settled(semaphore_enter(s), store, &ok);
    when_settled(with_timeout(semaphore_enter(s), 2), store, &late);
    when_settled(semaphore_enter(s), store, &refused);
    loop_run();
    ck_assert_int_eq(ok, 0);
    ck_assert_int_eq(late, UV_ETIMEDOUT);
    ck_assert_int_eq(refused, UV_EAGAIN);
    semaphore_leave(s);
    semaphore_free(s);                               /* asserts that nobody is left in line */
}
END_TEST

Suite *semaphore_suite(void)
{
    Suite *suite = suite_create("semaphore");
    TCase *t = tcase_create("all");
    tcase_add_test(t, at_most_three_are_inside_and_everyone_gets_in);
    tcase_add_test(t, a_full_line_refuses_and_a_timeout_leaves_it);
    suite_add_tcase(suite, t);
    return suite;
}
