/* test_recorder.c - what a thread did last is in its ring, the newest over the oldest. */
#include "server/base/observe/recorder.h"
#include "tests/unit/suites.h"

#include <pthread.h>

enum { ENTRIES = 1024, SIZE = ENTRIES * sizeof(record) };

static void add(int value) { recorder_add(RECORD_JOB, recorder_since(), "job", 7, value); }

START_TEST(an_entry_says_what_was_done_when_and_for_whom)
{
    recorder_begin("test", SIZE);
    const uint64_t before = recorder_clock();
    add(-3);
    const record *r = &recorder_here->records[0];
    ck_assert_uint_eq(recorder_here->next, 1);
    ck_assert_int_eq(r->kind, RECORD_JOB);
    ck_assert_str_eq(r->what, "job");
    ck_assert_int_eq(r->label, 7);
    ck_assert_int_eq(r->value, -3);
    ck_assert_uint_le(before, r->since);
    ck_assert_uint_le(r->since, r->end);
    ck_assert_uint_le(r->end, recorder_clock());
    recorder_end();
}
END_TEST

START_TEST(when_it_is_full_the_newest_takes_the_place_of_the_oldest)
{
    recorder_begin("test", SIZE + SIZE / 2);                 /* a power of two of them */
    ck_assert_uint_eq(recorder_here->count, ENTRIES);
    for (int i = 0; i < ENTRIES + 2; i++)
        add(i);
    ck_assert_uint_eq(recorder_here->next, ENTRIES + 2);
    ck_assert_int_eq(recorder_here->records[1].value, ENTRIES + 1);
    ck_assert_int_eq(recorder_here->records[2].value, 2);
    recorder_end();
}
END_TEST

START_TEST(a_thread_without_one_records_nothing)
{
    add(1);
    recorder_begin("test", SIZE - 1);
    ck_assert_ptr_null(recorder_here);
    ck_assert_uint_eq(recorder_since(), 0);
    add(1);
    recorder_end();
    recorder_begin("test", 0);
    ck_assert_ptr_null(recorder_here);
}
END_TEST

enum { THREADS = 4, EACH = 200 };

static void *run(void *shared)
{
    recorder_here = shared;
    for (int i = 0; i < EACH; i++)
        add(1);
    return NULL;
}

START_TEST(one_that_is_shared_has_the_entries_of_all_threads)
{
    pthread_t threads[THREADS];
    int sum = 0;
    recorder *r = recorder_new_shared("test", SIZE);
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, run, r), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    ck_assert_uint_eq(r->next, THREADS * EACH);
    for (int i = 0; i < ENTRIES; i++)
        sum += r->records[i].value;
    ck_assert_int_eq(sum, THREADS * EACH);
    recorder_free_shared(r);
    ck_assert_ptr_null(recorder_new_shared("test", SIZE - 1));
    recorder_free_shared(NULL);
}
END_TEST

Suite *recorder_suite(void)
{
    Suite *s = suite_create("recorder");
    TCase *t = tcase_create("all");
    tcase_add_test(t, an_entry_says_what_was_done_when_and_for_whom);
    tcase_add_test(t, when_it_is_full_the_newest_takes_the_place_of_the_oldest);
    tcase_add_test(t, a_thread_without_one_records_nothing);
    tcase_add_test(t, one_that_is_shared_has_the_entries_of_all_threads);
    suite_add_tcase(s, t);
    return s;
}
