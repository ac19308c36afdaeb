/* test_token_buckets.c - what many may do so often, each. */
#include "server/base/overload/token_buckets.h"
#include "tests/unit/suites.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

enum { MS = 1000000 };

static const token_limit TEN_A_SECOND = { 10, 1000 * (uint64_t)MS };
static const uint64_t NOW = 1000000 * (uint64_t)MS;

START_TEST(a_full_bucket_is_used_at_once_and_filled_evenly)
{
    token_buckets *t = token_buckets_new(64);
    for (uint32_t i = 1; i <= 10; i++) {
        const token_state s = token_buckets_take(t, TEXT("a"), &TEN_A_SECOND, NOW);
        ck_assert(s.taken);
        ck_assert_uint_eq(s.left, 10 - i);
        ck_assert_uint_eq(s.full, i * 100 * (uint64_t)MS);
        ck_assert_uint_eq(s.wait, i < 10 ? 0 : 100 * MS);
    }
    token_state s = token_buckets_take(t, TEXT("a"), &TEN_A_SECOND, NOW);
    ck_assert(!s.taken);
    ck_assert_uint_eq(s.wait, 100 * MS);
    ck_assert_uint_eq(s.full, 1000 * (uint64_t)MS);          /* what is refused takes nothing */
    s = token_buckets_take(t, TEXT("a"), &TEN_A_SECOND, NOW + 100 * MS - 1);
    ck_assert(!s.taken);
    ck_assert_uint_eq(s.wait, 1);
    ck_assert(token_buckets_take(t, TEXT("a"), &TEN_A_SECOND, NOW + 100 * MS).taken);
    ck_assert(!token_buckets_take(t, TEXT("a"), &TEN_A_SECOND, NOW + 100 * MS).taken);
    s = token_buckets_take(t, TEXT("a"), &TEN_A_SECOND, NOW + 5000 * (uint64_t)MS);
    ck_assert(s.taken);
    ck_assert_uint_eq(s.left, 9);            /* it does not hold more than it does */
    token_buckets_free(t);
}
END_TEST

START_TEST(each_key_has_its_own)
{
    token_buckets *t = token_buckets_new(64);
    const token_limit one = { 1, MS };
    ck_assert(token_buckets_take(t, TEXT("a"), &one, NOW).taken);
    ck_assert(!token_buckets_take(t, TEXT("a"), &one, NOW).taken);
    ck_assert(token_buckets_take(t, TEXT("b"), &one, NOW).taken);
    ck_assert(token_buckets_take(t, TEXT(""), &one, NOW).taken);
    ck_assert(token_buckets_take(t, (text){ "\0", 1 }, &one, NOW).taken);
    ck_assert(token_buckets_take(t, TEXT("a longer key than eight bytes"), &one, NOW).taken);
    ck_assert(token_buckets_take(t, TEXT("a longer key than eight byteS"), &one, NOW).taken);
    token_buckets_free(t);
}
END_TEST

/* Ten times as many keys as there is room for: the last ones are kept, and those that are full need not be. */
START_TEST(of_more_than_there_is_room_for_those_who_have_used_most_are_kept)
{
    token_buckets *t = token_buckets_new(64);
    const token_limit two = { 2, 1000 * (uint64_t)MS };
    char key[32];
    for (int i = 0; i < 2; i++)
        ck_assert(token_buckets_take(t, TEXT("greedy"), &two, NOW).taken);
    for (int i = 0; i < 640; i++) {
        const int n = snprintf(key, sizeof key, "other %d", i);
        ck_assert(token_buckets_take(t, (text){ key, (size_t)n }, &two, NOW).taken);
    }
    ck_assert(!token_buckets_take(t, TEXT("greedy"), &two, NOW).taken);
    token_buckets_free(t);
}
END_TEST

static token_buckets *shared;
static atomic_int     taken;

static void *take_many(void *arg)
{
    (void)arg;
    for (int i = 0; i < 10000; i++)
        if (token_buckets_take(shared, TEXT("one"), &(token_limit){ 5000, 3600000 * (uint64_t)MS }, NOW).taken)
            atomic_fetch_add(&taken, 1);
    return NULL;
}

START_TEST(threads_together_take_no_more_than_there_are)
{
    pthread_t threads[4];
    shared = token_buckets_new(64);
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, take_many, NULL), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    ck_assert_int_eq(taken, 5000);
    token_buckets_free(shared);
}
END_TEST

Suite *token_buckets_suite(void)
{
    Suite *s = suite_create("token_buckets");
    TCase *t = tcase_create("all");
    tcase_add_test(t, a_full_bucket_is_used_at_once_and_filled_evenly);
    tcase_add_test(t, each_key_has_its_own);
    tcase_add_test(t, of_more_than_there_is_room_for_those_who_have_used_most_are_kept);
    tcase_add_test(t, threads_together_take_no_more_than_there_are);
    suite_add_tcase(s, t);
    return s;
}
