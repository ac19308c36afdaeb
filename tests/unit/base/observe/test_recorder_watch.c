/* test_recorder_watch.c - what a thread records is read by another as it comes; what does not fit is counted. */
#include "server/base/observe/recorder_watch.h"
#include "tests/support/support.h"
#include "tests/unit/suites.h"

#include <pthread.h>

enum { ENTRIES = 1024, SIZE = ENTRIES * sizeof(record) };

static record        *seen;                  /* twice ENTRIES */
static recorder_watch w;
static uint64_t       missed;

static void add(int value) { recorder_add(RECORD_JOB, recorder_since(), "job", (record_for){ .label = 7 }, value); }

static void add_so_many(int count)
{
    for (int i = 0; i < count; i++)
        add(i);
}

static void setup(void)
{
    recorder_begin("test", SIZE);
    if (!seen)
        seen = zeros(2 * SIZE);
}

START_TEST(details_are_for_who_watches)
{
    setup();
    ck_assert(!recorder_is_watched());
    ck_assert_int_eq(recorder_watch_begin(&w, 1, 0), 0);
    ck_assert(recorder_is_watched());
    recorder_add_detail(&(record){ .kind = RECORD_QUERY_SENT, .end = recorder_clock(), .what = "q", .lane = 3, .value = 5 });
    ck_assert_uint_eq(recorder_watch_read(&w, seen, ENTRIES, &missed), 1);
    ck_assert_int_eq(seen[0].kind, RECORD_QUERY_SENT);
    ck_assert_int_eq(seen[0].lane, 3);
    ck_assert_int_eq(seen[0].value, 5);
    recorder_watch_end(&w);
    recorder_watch_end(&w);
    ck_assert(!recorder_is_watched());
    recorder_end();
}
END_TEST

START_TEST(each_entry_is_read_once_in_its_order)
{
    setup();
    add(9);
    ck_assert_int_eq(recorder_watch_begin(&w, 1, 0), 0);
    add_so_many(3);
    ck_assert_uint_eq(recorder_watch_read(&w, seen, ENTRIES, &missed), 3);
    ck_assert_int_eq(seen[0].value, 0);
    ck_assert_int_eq(seen[2].value, 2);
    add(4);
    ck_assert_uint_eq(recorder_watch_read(&w, seen, ENTRIES, &missed), 1);
    ck_assert_int_eq(seen[0].value, 4);
    ck_assert_uint_eq(missed, 0);
    ck_assert_uint_eq(recorder_watch_read(&w, seen, ENTRIES, &missed), 0);
    recorder_watch_end(&w);
    recorder_end();
}
END_TEST

START_TEST(it_can_begin_with_what_was_before)
{
    setup();
    add_so_many(5);
    ck_assert_int_eq(recorder_watch_begin(&w, 1, 2), 0);
    ck_assert_uint_eq(recorder_watch_read(&w, seen, ENTRIES, &missed), 2);
    ck_assert_int_eq(seen[0].value, 3);
    recorder_watch_end(&w);
    ck_assert_int_eq(recorder_watch_begin(&w, 1, ENTRIES), 0);
    ck_assert_uint_eq(recorder_watch_read(&w, seen, ENTRIES, &missed), 5);
    recorder_watch_end(&w);
    recorder_end();
}
END_TEST

START_TEST(what_does_not_fit_is_missed_and_it_is_the_oldest)
{
    setup();
    ck_assert_int_eq(recorder_watch_begin(&w, 1, 0), 0);
    add_so_many(10);
    ck_assert_uint_eq(recorder_watch_read(&w, seen, 4, &missed), 4);
    ck_assert_uint_eq(missed, 6);
    ck_assert_int_eq(seen[0].value, 6);
    add_so_many(3 * ENTRIES);
    const size_t n = recorder_watch_read(&w, seen, 2 * ENTRIES, &missed);
    ck_assert_uint_le(n, ENTRIES);
    ck_assert_uint_ge(n, ENTRIES - 2);
    ck_assert_uint_eq(missed + n, 3 * ENTRIES);
    ck_assert_int_eq(seen[n - 1].value, 3 * ENTRIES - 1);
    recorder_watch_end(&w);
    recorder_end();
}
END_TEST

START_TEST(times_are_those_of_uv_hrtime_and_addresses_stay)
{
    setup();
    ck_assert_int_eq(recorder_watch_begin(&w, 1, 0), 0);
    const uint64_t before = uv_hrtime();
    add(1);
    recorder_add_detail(&(record){ .kind = RECORD_AWAIT, .since = 0x1234, .end = recorder_clock(), .what = "sleep_for" });
    const uint64_t after = uv_hrtime();
    ck_assert_uint_eq(recorder_watch_read(&w, seen, ENTRIES, &missed), 2);
    const uint64_t grain = 20000;            /* nanoseconds: a tick's length is known from a short time only */
    ck_assert_uint_ge(seen[0].since + grain, before);
    ck_assert_uint_le(seen[0].since, seen[0].end);
    ck_assert_uint_le(seen[1].end, after + grain);
    ck_assert_uint_eq(seen[1].since, 0x1234);
    recorder_watch_end(&w);
    recorder_end();
}
END_TEST

static pthread_barrier_t barrier;

static void *run(void *arg)
{
    setup();
    add(8);
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    recorder_end();
    pthread_barrier_wait(&barrier);
    return arg;
}

START_TEST(threads_are_numbered_as_they_began_and_may_end_meanwhile)
{
    pthread_t thread;
    uint64_t written[4] = { 0 };
    recorder *shared = recorder_new_shared("all", SIZE);
    setup();
    pthread_barrier_init(&barrier, NULL, 2);
    ck_assert_int_eq(pthread_create(&thread, NULL, run, NULL), 0);
    pthread_barrier_wait(&barrier);
    ck_assert_int_eq(recorder_watch_count(written, 4), 2);
    ck_assert_uint_eq(written[0], 0);
    ck_assert_uint_eq(written[1], 1);
    ck_assert_int_eq(recorder_watch_begin(&w, 3, 0), UV_ENOENT);
    ck_assert_int_eq(recorder_watch_begin(&w, 0, 0), UV_ENOENT);
    ck_assert_int_eq(recorder_watch_begin(&w, 2, 1), 0);
    ck_assert(!recorder_is_watched());
    ck_assert_uint_eq(recorder_watch_read(&w, seen, ENTRIES, &missed), 1);
    ck_assert_int_eq(seen[0].value, 8);
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    ck_assert_uint_eq(recorder_watch_read(&w, seen, ENTRIES, &missed), 0);
    recorder_watch_end(&w);
    pthread_join(thread, NULL);
    ck_assert_int_eq(recorder_watch_count(written, 4), 1);
    recorder_end();
    recorder_free_shared(shared);
}
END_TEST

static atomic_bool done;

static void *write_on(void *arg)
{
    setup();
    pthread_barrier_wait(&barrier);
    for (int i = 0; !atomic_load(&done); i++)
        recorder_add_detail(&(record){ .kind = RECORD_JOB_RAN, .since = (uint64_t)i, .end = (uint64_t)i, .value = i });
    recorder_end();
    return arg;
}

START_TEST(an_entry_that_is_written_over_meanwhile_is_not_read_as_half_another)
{
    pthread_t thread;
    pthread_barrier_init(&barrier, NULL, 2);
    ck_assert_int_eq(pthread_create(&thread, NULL, write_on, NULL), 0);
    pthread_barrier_wait(&barrier);
    ck_assert_int_eq(recorder_watch_begin(&w, 1, 0), 0);
    w.ticks = false;                         /* what is written are no times */
    for (int look = 0; look < 2000; look++) {
        const size_t n = recorder_watch_read(&w, seen, 2 * ENTRIES, &missed);
        for (size_t i = 0; i < n; i++) {
            ck_assert_int_eq((int)seen[i].end, seen[i].value);
            ck_assert_int_eq(seen[i].value, seen[0].value + (int)i);
        }
    }
    recorder_watch_end(&w);
    atomic_store(&done, true);
    pthread_join(thread, NULL);
}
END_TEST

Suite *recorder_watch_suite(void)
{
    Suite *s = suite_create("recorder_watch");
    TCase *t = tcase_create("all");
    tcase_add_test(t, details_are_for_who_watches);
    tcase_add_test(t, each_entry_is_read_once_in_its_order);
    tcase_add_test(t, it_can_begin_with_what_was_before);
    tcase_add_test(t, what_does_not_fit_is_missed_and_it_is_the_oldest);
    tcase_add_test(t, times_are_those_of_uv_hrtime_and_addresses_stay);
    tcase_add_test(t, threads_are_numbered_as_they_began_and_may_end_meanwhile);
    tcase_add_test(t, an_entry_that_is_written_over_meanwhile_is_not_read_as_half_another);
    suite_add_tcase(s, t);
    return s;
}
