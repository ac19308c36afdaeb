/* test_reserve.c - what was needed lately stays, the rest goes back, in ticks that cost little. */
#include "server/base/reserve.h"
#include "server/base/block.h"
#include "server/base/memory.h"
#include "tests/support/support.h"
#include "tests/unit/suites.h"

#include <pthread.h>
#include <uv.h>

enum { MANY = 2000, SIZE = 4096, LEAST = RESERVE_LEAST / SIZE };

static int   ended;
static void *last_ended;
static char (*objects)[SIZE];

static void end(void *object)
{
    ended++;
    last_ended = object;
}

static freelist list = FREELIST(SIZE, end);
static uint64_t clock_ms = 1000;

/* So many are asked for that are not there. */
static void ask(int count)
{
    for (int i = 0; i < count; i++)
        ck_assert_ptr_null(freelist_get(&list));
}

static void put(int from, int to)
{
    for (int i = from; i < to; i++)
        freelist_put(&list, objects[i]);
}

static void burst(void)
{
    ask(MANY);
    put(0, MANY);
}

static void take(int count)
{
    for (int i = 0; i < count; i++)
        ck_assert_ptr_nonnull(freelist_get(&list));
}

/* Calls it as a loop would, for so long. */
static void pass(uint64_t ms)
{
    const uint64_t until = clock_ms + ms;
    while (reserve_is_watched()) {
        const uint64_t next = reserve_tick(clock_ms);
        if (next == 0 || clock_ms + next > until)
            break;
        clock_ms += next;
    }
    clock_ms = until;
}

static void setup(void)
{
    objects = zeros(MANY * sizeof *objects);
    reserve_begin();
}

static void teardown(void)
{
    freelist_done(&list);
    reserve_end();
}

START_TEST(the_object_put_last_comes_first)
{
    ask(200);
    put(0, 100);
    pass(RESERVE_PERIOD);                    /* an age changes nothing in that order */
    put(100, 200);
    for (int i = 199; i >= 0; i--)
        ck_assert_ptr_eq(freelist_get(&list), objects[i]);
    ck_assert_ptr_null(freelist_get(&list));
}
END_TEST

START_TEST(of_a_burst_little_is_left_after_three_periods)
{
    burst();
    pass(RESERVE_PERIOD - 1);
    ck_assert_int_eq(ended, 0);
    pass(3 * RESERVE_PERIOD);
    ck_assert_int_eq(ended, MANY - LEAST);
}
END_TEST

START_TEST(nothing_wakes_a_thread_that_has_given_back_all)
{
    burst();
    ck_assert(reserve_is_watched());
    pass(4 * RESERVE_PERIOD);
    ck_assert(!reserve_is_watched());
    take(LEAST);
    ask(1);
    put(0, LEAST);
    ck_assert(!reserve_is_watched());
    put(LEAST, LEAST + 1);
    ck_assert(reserve_is_watched());         /* one above its least */
    take(1);
    pass(RESERVE_PERIOD);
    ck_assert_uint_eq(reserve_tick(clock_ms), 0);
}
END_TEST

START_TEST(a_load_that_comes_again_within_a_period_finds_all_that_it_left)
{
    burst();
    for (int i = 0; i < 20; i++) {
        pass(RESERVE_PERIOD - 100);
        take(MANY);
        put(0, MANY);
    }
    ck_assert_int_eq(ended, 0);
}
END_TEST

START_TEST(of_what_stays_in_use_only_the_rest_is_given_back)
{
    enum { NEEDED = 64 };
    burst();
    for (int i = 0; i < 100; i++) {
        pass(RESERVE_PERIOD / 10);
        void *needed[NEEDED];
        for (int k = 0; k < NEEDED; k++)
            ck_assert_ptr_nonnull(needed[k] = freelist_get(&list));
        for (int k = NEEDED - 1; k >= 0; k--)
            freelist_put(&list, needed[k]);
    }
    ck_assert_int_eq(ended, MANY - NEEDED);
    ck_assert_ptr_eq(freelist_get(&list), objects[MANY - 1]);        /* the coldest went, not the hottest */
}
END_TEST

static void end_slowly(void *object)
{
    end(object);
    for (const uint64_t until = uv_hrtime() + 50 * 1000; uv_hrtime() < until;)
        ;
}

START_TEST(a_tick_gives_back_no_more_than_its_time_allows)
{
    list.end = end_slowly;
    burst();
    pass(2 * RESERVE_PERIOD - 1);
    for (int before = 0; ended < MANY - LEAST; before = ended) {
        reserve_tick(clock_ms += RESERVE_PERIOD);
        ck_assert_int_le(ended - before, 64);                /* 50 us each; it looks at the clock after 32 */
    }
    list.end = end;
}
END_TEST

static void *put_on_a_plain_thread(void *arg)
{
    (void)arg;
    freelist own = FREELIST(SIZE, end);
    for (int i = 0; i < MANY; i++)
        freelist_get(&own);
    for (int i = 0; i < MANY; i++)
        freelist_put(&own, objects[i]);
    const size_t count = own.count;
    freelist_done(&own);
    return (void *)count;
}

START_TEST(a_thread_without_ticks_keeps_a_little)
{
    pthread_t thread;
    void *count;
    ck_assert_int_eq(pthread_create(&thread, NULL, put_on_a_plain_thread, NULL), 0);
    pthread_join(thread, &count);
    ck_assert_uint_eq((size_t)count, LEAST);
    ck_assert_int_eq(ended, MANY);
}
END_TEST

START_TEST(what_only_others_got_is_not_kept)
{
    ask(10);
    put(0, MANY);                            /* all but ten come from other threads */
    ck_assert_int_eq(ended, MANY - 10);
    take(10);
    ask(1);
}
END_TEST

START_TEST(a_block_is_as_large_as_asked_and_used_again)
{
    for (size_t least = 1; least <= BLOCK_LARGEST + 1; least = least * 2 + 1) {
        size_t size, again;
        char *block = block_get(least, &size);
        ck_assert_uint_ge(size, least);
        block[0] = block[size - 1] = 1;
        block_put(block, size);
        char *next = block_get(size, &again);
        if (!RESERVE_NOTHING && size <= RESERVE_LEAST)
            ck_assert_ptr_eq(next, block);
        ck_assert_uint_eq(size, again);
        block_put(next, again);
    }
    block_trim();
}
END_TEST

Suite *reserve_suite(void)
{
    Suite *s = suite_create("reserve");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, teardown);
    if (!RESERVE_NOTHING) {                 /* which keeps nothing */
        tcase_add_test(t, the_object_put_last_comes_first);
        tcase_add_test(t, of_a_burst_little_is_left_after_three_periods);
        tcase_add_test(t, nothing_wakes_a_thread_that_has_given_back_all);
        tcase_add_test(t, a_load_that_comes_again_within_a_period_finds_all_that_it_left);
        tcase_add_test(t, of_what_stays_in_use_only_the_rest_is_given_back);
        tcase_add_test(t, a_tick_gives_back_no_more_than_its_time_allows);
        tcase_add_test(t, what_only_others_got_is_not_kept);
        tcase_add_test(t, a_thread_without_ticks_keeps_a_little);
    }
    tcase_add_test(t, a_block_is_as_large_as_asked_and_used_again);
    suite_add_tcase(s, t);
    return s;
}
