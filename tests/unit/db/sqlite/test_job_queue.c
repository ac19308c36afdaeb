/* test_job_queue.c - jobs that wait: their order, how they leave it, how many are taken at once. */
#include "db/sqlite/job_queue.h"
#include "tests/unit/suites.h"

#include <sched.h>
#include <uv.h>

enum { ALL = 5 };

static sqlite_job_queue   queue;
static sqlite_job        jobs[ALL];
static atomic_int waiting;
static int        left;

static void setup(void)
{
    sqlite_job_queue_init(&queue);
    for (int i = 0; i < ALL; i++)
        jobs[i] = (sqlite_job){ .waiting = &waiting };
    waiting = ALL;
}

static void teardown(void) { sqlite_job_queue_done(&queue); }

static void add(int first, int behind)       /* under one lock */
{
    sqlite_job_list some = { 0 };
    for (int i = first; i < behind; i++)
        sqlite_job_list_add(&some, &jobs[i]);
    sqlite_job_queue_add(&queue, &some);
    ck_assert(!some.first && !some.last && some.count == 0);
}

static void expect_taken(const int numbers[], int n)
{
    uint64_t newest;
    for (int i = 0; i < n; i++)
        ck_assert_ptr_eq(sqlite_job_queue_take(&queue, &newest), &jobs[numbers[i]]);
    ck_assert_ptr_null(queue.jobs.first);
    ck_assert_ptr_null(queue.jobs.last);
    ck_assert_int_eq(queue.jobs.count, 0);
}

START_TEST(first_come_first_served)
{
    add(0, 2);
    add(2, 2);
    add(2, ALL);
    ck_assert_int_eq(queue.jobs.count, ALL);
    expect_taken((int[]){ 0, 1, 2, 3, 4 }, ALL);
    ck_assert_int_eq(waiting, 0);
}
END_TEST

START_TEST(one_leaves_from_wherever_it_stands)
{
    static const int LEFT[ALL][ALL - 1] = { { 1, 2, 3, 4 }, { 0, 2, 3, 4 }, { 0, 1, 3, 4 }, { 0, 1, 2, 4 }, { 0, 1, 2, 3 } };
    add(0, 3);
    add(3, ALL);
    ck_assert(sqlite_job_queue_remove(&queue, &jobs[_i]));
    ck_assert(!jobs[_i].queued);
    ck_assert(!sqlite_job_queue_remove(&queue, &jobs[_i]));
    expect_taken(LEFT[_i], ALL - 1);
    for (int i = 0; i < ALL; i++)            /* a worker has them */
        ck_assert(!sqlite_job_queue_remove(&queue, &jobs[i]));
}
END_TEST

START_TEST(one_leaves_a_list_from_wherever_it_stands)
{
    sqlite_job_list l = { 0 };
    for (int i = 0; i < 3; i++)
        sqlite_job_list_add(&l, &jobs[i]);
    sqlite_job_list_remove(&l, &jobs[_i]);
    const sqlite_job *first = &jobs[_i == 0], *last = &jobs[_i == 2 ? 1 : 2];
    ck_assert_ptr_eq(l.first, first);
    ck_assert_ptr_eq(l.last, last);
    ck_assert_ptr_eq(first->next, last);
    ck_assert_ptr_eq(last->prev, first);
    ck_assert(!first->prev && !last->next);
    ck_assert_int_eq(l.count, 2);
}
END_TEST

START_TEST(the_number_of_the_newest_tells_who_came_later)
{
    uint64_t newest;
    add(0, 2);
    ck_assert_ptr_eq(sqlite_job_queue_take(&queue, &newest), &jobs[0]);
    add(2, 3);
    ck_assert_ptr_eq(sqlite_job_queue_take_up_to(&queue, newest), &jobs[1]);
    ck_assert_ptr_null(sqlite_job_queue_take_up_to(&queue, newest));
    ck_assert_ptr_eq(sqlite_job_queue_take(&queue, &newest), &jobs[2]);
    ck_assert_uint_eq(newest, jobs[2].number);               /* its own: none waits behind it */
    ck_assert_ptr_null(sqlite_job_queue_take_up_to(&queue, newest));
}
END_TEST

START_TEST(no_more_are_taken_at_once_than_may_be)
{
    add(0, ALL);
    sqlite_job *first = sqlite_job_queue_take_all(&queue, 3, 0, 0, &left);
    ck_assert(first == &jobs[0] && first->next == &jobs[1] && jobs[1].next == &jobs[2] && !jobs[2].next);
    first = sqlite_job_queue_take_all(&queue, 3, 0, 0, &left);
    ck_assert(first == &jobs[3] && first->next == &jobs[4] && !jobs[4].next);
}
END_TEST

static void *work(void *arg)
{
    uint64_t newest;
    sqlite_job **got = arg;
    *got = sqlite_job_queue_take(&queue, &newest);
    return NULL;
}

static void start_workers(pthread_t workers[], sqlite_job *got[], int n)
{
    for (int i = 0; i < n; i++)
        ck_assert_int_eq(pthread_create(&workers[i], NULL, work, &got[i]), 0);
    while (atomic_load(&queue.idle) < n)
        sched_yield();
}

START_TEST(as_many_are_woken_as_are_needed)
{
    pthread_t workers[ALL];
    sqlite_job *got[ALL];
    start_workers(workers, got, ALL);
    add(0, ALL);
    for (int i = 0; i < ALL; i++)
        pthread_join(workers[i], NULL);
    for (int i = 0; i < ALL; i++)
        ck_assert_ptr_nonnull(got[i]);
    ck_assert_int_eq(atomic_load(&queue.idle), 0);
}
END_TEST

START_TEST(its_end_wakes_all_who_are_idle)
{
    pthread_t workers[ALL];
    sqlite_job *got[ALL];
    start_workers(workers, got, ALL);
    sqlite_job_queue_end(&queue);
    for (int i = 0; i < ALL; i++)
        pthread_join(workers[i], NULL);
    for (int i = 0; i < ALL; i++)
        ck_assert_ptr_null(got[i]);
}
END_TEST

START_TEST(what_waits_at_its_end_is_taken)
{
    add(0, ALL);
    sqlite_job_queue_end(&queue);
    expect_taken((int[]){ 0, 1, 2, 3, 4 }, ALL);
    ck_assert_ptr_null(sqlite_job_queue_take_all(&queue, 3, 0, 0, &left));
}
END_TEST

static void *work_on_three(void *first)
{
    *(sqlite_job **)first = sqlite_job_queue_take_all(&queue, ALL, 3, UINT64_MAX / 2, &left);
    return NULL;
}

/* When that many are in it, and a worker waits for more. */
static void until_one_waits_beside(int count)
{
    for (bool waits = false; !waits; sched_yield()) {
        pthread_mutex_lock(&queue.lock);
        waits = queue.wanted && queue.jobs.count == count;
        pthread_mutex_unlock(&queue.lock);
    }
}

START_TEST(one_waits_until_there_are_as_many_as_it_wants)
{
    pthread_t worker;
    sqlite_job *got;
    add(0, 1);
    ck_assert_int_eq(pthread_create(&worker, NULL, work_on_three, &got), 0);
    until_one_waits_beside(1);
    ck_assert_int_eq(atomic_load(&queue.idle), 1);
    if (_i == 1) {                           /* its end */
        sqlite_job_queue_end(&queue);
        pthread_join(worker, NULL);
        ck_assert(got == &jobs[0] && !got->next);
        return;
    }
    if (_i == 2) {                           /* who leaves is not waited for */
        ck_assert(sqlite_job_queue_remove(&queue, &jobs[0]));
        until_one_waits_beside(0);
    }
    const int first = _i == 2;
    add(1, 2 + first);
    until_one_waits_beside(2);
    add(2 + first, ALL);
    pthread_join(worker, NULL);
    ck_assert(got == &jobs[first] && got->next == &jobs[first + 1]);
    ck_assert_int_eq(left, 0);
    ck_assert_int_eq(queue.wanted + atomic_load(&queue.idle), 0);
}
END_TEST

START_TEST(it_waits_for_more_no_longer_than_it_said)
{
    add(0, 2);
    const uint64_t until = uv_hrtime() + 2000000;
    sqlite_job *first = sqlite_job_queue_take_all(&queue, 1, 3, until, &left);
    ck_assert_uint_ge(uv_hrtime(), until);
    ck_assert(first == &jobs[0] && !first->next);
    ck_assert_int_eq(left, 1);
    ck_assert_ptr_eq(sqlite_job_queue_take_all(&queue, 1, 3, until, &left), &jobs[1]);
}
END_TEST

Suite *job_queue_suite(void)
{
    Suite *s = suite_create("job_queue");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, first_come_first_served);
    tcase_add_loop_test(t, one_leaves_from_wherever_it_stands, 0, ALL);
    tcase_add_loop_test(t, one_leaves_a_list_from_wherever_it_stands, 0, 3);
    tcase_add_test(t, the_number_of_the_newest_tells_who_came_later);
    tcase_add_test(t, no_more_are_taken_at_once_than_may_be);
    tcase_add_test(t, as_many_are_woken_as_are_needed);
    tcase_add_test(t, its_end_wakes_all_who_are_idle);
    tcase_add_test(t, what_waits_at_its_end_is_taken);
    tcase_add_loop_test(t, one_waits_until_there_are_as_many_as_it_wants, 0, 3);
    tcase_add_test(t, it_waits_for_more_no_longer_than_it_said);
    suite_add_tcase(s, t);
    return s;
}
