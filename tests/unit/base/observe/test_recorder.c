/* test_recorder.c - what a thread did last is in its ring, the newest over the oldest. */
#include "server/base/observe/recorder.h"
#include "tests/unit/suites.h"

#include <pthread.h>

enum { ENTRIES = 1024, SIZE = ENTRIES * sizeof(record) };

static void add(int value) { recorder_add(RECORD_JOB, recorder_since(), "job", (record_for){ 7, 9 }, value); }

START_TEST(an_entry_says_what_was_done_when_and_for_whom)
{
    recorder_begin("test", SIZE);
    const uint64_t before = recorder_clock();
    add(-3);
    const record *r = &recorder_here->records[0];
    ck_assert_uint_eq(recorder_here->next, 1);
    ck_assert_int_eq(r->kind, RECORD_JOB);
    ck_assert_str_eq(record_what(r), "job");
    ck_assert_int_eq(r->label, 7);
    ck_assert_int_eq(record_request(r), 9);
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

static uint64_t count_of(record_kind kind) { return recorder_here->sums->of[7][kind].count; }
static uint64_t time_of(record_kind kind) { return recorder_here->sums->of[7][kind].time; }

START_TEST(all_that_was_ever_written_is_added_up_by_label_and_kind)
{
    recorder_begin("test", SIZE);
    for (int i = 0; i < ENTRIES + 2; i++)
        recorder_add_here(RECORD_RUN, 100, 103, "run", (record_for){ 7, 0 }, 0);
    recorder_add_here(RECORD_RUN, 100, 103, "run", (record_for){ 8, 0 }, 0);
    recorder_add_here(RECORD_REQUEST, 100, 103, NULL, (record_for){ 7, 0 }, 0);
    recorder_sum(RECORD_REQUEST, 7, 55);
    ck_assert_uint_eq(count_of(RECORD_RUN), ENTRIES + 2);
    ck_assert_uint_eq(time_of(RECORD_RUN), 3 * (ENTRIES + 2));
    ck_assert_uint_eq(count_of(RECORD_REQUEST), 1);
    ck_assert_uint_eq(time_of(RECORD_REQUEST), 55);
    ck_assert_uint_eq(count_of(RECORD_JOB), 0);
    recorder_end();
}
END_TEST

START_TEST(of_what_waited_its_turn_it_is_known_for_how_much_of_its_time)
{
    recorder_begin("test", SIZE);
    const uint64_t now = recorder_clock();
    recorder_add_begun(RECORD_QUERY, now - 4000000, UINT64_MAX, 0, "never sent", (record_for){ 7, 0 }, -1);
    recorder_add_begun(RECORD_QUERY, now, now, 0, "sent at once", (record_for){ 7, 0 }, 0);
    recorder_add_begun(RECORD_QUERY, now - 1000000000, now - 500000000, 0, "half", (record_for){ 7, 0 }, 0);
    ck_assert_int_eq(recorder_here->records[0].lane, 255);
    ck_assert_int_eq(recorder_here->records[1].lane, 0);
    ck_assert_int_ge(recorder_here->records[2].lane, 100);
    ck_assert_int_le(recorder_here->records[2].lane, 128);
    ck_assert_uint_ge(recorder_here->sums->of[7][RECORD_QUERY].queued, 504000000);
    ck_assert_uint_eq(count_of(RECORD_QUERY), 3);
    recorder_end();
}
END_TEST

START_TEST(the_time_of_each_await_is_known_by_its_place_and_of_others_only_together)
{
    recorder_begin("test", SIZE);
    for (int place = 1; place <= RECORD_PLACES + 1; place++)
        for (int i = 0; i < place; i++)
            recorder_add_here(RECORD_WAITED, 0, 10, "sleep_for", (record_for){ 7, 0 }, place);
    for (int i = 0; i < RECORD_PLACES; i++) {
        const record_place_sum *p = &recorder_here->sums->places[7][i];
        ck_assert_int_eq(p->place, i + 1);
        ck_assert_str_eq(p->what, "sleep_for");
        ck_assert_uint_eq(p->count, (unsigned)i + 1);
        ck_assert_uint_eq(p->time, 10 * ((unsigned)i + 1));
    }
    ck_assert_uint_eq(count_of(RECORD_WAITED), (RECORD_PLACES + 1) * (RECORD_PLACES + 2) / 2);
    recorder_end();
}
END_TEST

START_TEST(a_place_in_the_code_is_found_again_and_any_other_is_none)
{
    ck_assert_ptr_eq(record_place_at(record_place((const void *)recorder_suite)), (const void *)recorder_suite);
    ck_assert_int_eq(record_place(NULL), 0);
    ck_assert_ptr_null(record_place_at(0));
    ck_assert_int_eq(record_place((const void *)(UINTPTR_MAX / 2)), 0);
}
END_TEST

START_TEST(requests_have_numbers_that_are_never_0_and_begin_anew)
{
    const uint16_t first = recorder_request();           /* also where nothing is recorded */
    ck_assert_int_eq(first, 1);
    recorder_begin("test", SIZE);
    for (int i = 2; i < RECORD_REQUESTS; i++)
        ck_assert_int_eq(recorder_request(), i);
    ck_assert_int_eq(recorder_request(), first);
    recorder_end();
}
END_TEST

START_TEST(its_clock_tells_the_time_of_the_other)
{
    recorder_begin("test", SIZE);
    for (const uint64_t until = uv_hrtime() + 30000000; uv_hrtime() < until;) {
        const uint64_t before = uv_hrtime(), ns = recorder_ns(recorder_clock()), after = uv_hrtime();
        if (after - before < 10000) {        /* nothing has come between */
            ck_assert_uint_ge(ns + 20000, before);
            ck_assert_uint_le(ns, after + 20000);
        }
    }
    const uint64_t since = recorder_clock(), ns = uv_hrtime();
    while (uv_hrtime() < ns + 5000000)
        ;
    const uint64_t took = recorder_ns_of(recorder_clock() - since);
    ck_assert_uint_ge(took, 4900000);
    recorder_end();
}
END_TEST

static void see(recorder *r, void *arg) { *(const recorder **)arg = r; }

START_TEST(all_there_are_can_be_seen)
{
    const recorder *seen = NULL;
    recorder_each(see, &seen);
    ck_assert_ptr_null(seen);
    recorder_begin("test", SIZE);
    recorder_each(see, &seen);
    ck_assert_ptr_eq(seen, recorder_here);
    recorder_end();
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
    tcase_add_test(t, all_that_was_ever_written_is_added_up_by_label_and_kind);
    tcase_add_test(t, of_what_waited_its_turn_it_is_known_for_how_much_of_its_time);
    tcase_add_test(t, the_time_of_each_await_is_known_by_its_place_and_of_others_only_together);
    tcase_add_test(t, a_place_in_the_code_is_found_again_and_any_other_is_none);
    tcase_add_test(t, requests_have_numbers_that_are_never_0_and_begin_anew);
    tcase_add_test(t, its_clock_tells_the_time_of_the_other);
    tcase_add_test(t, all_there_are_can_be_seen);
    suite_add_tcase(s, t);
    return s;
}
