/* test_shard.c - what threads count for themselves is summed, whoever counts, and whoever has ended. */
#include "server/base/observe/shard.h"
#include "tests/unit/suites.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 4, EACH = 1000, MS = 1000000 };

static uint64_t sum_of_answers(uint16_t label, bool head, int outcome)
{
    duration_sums took;
    uint64_t answers[2][SHARD_OUTCOMES];
    return shard_sum_route(label, &took, answers) ? answers[head][outcome] : 0;
}

static uint64_t sum_of_requests(uint16_t label)
{
    duration_sums took;
    uint64_t answers[2][SHARD_OUTCOMES];
    return shard_sum_route(label, &took, answers) ? took.count : 0;
}

static void *count_much(void *own)
{
    if (own)
        shard_begin();
    else
        shard_share();
    for (int i = 0; i < EACH; i++) {
        shard_add(SHARD_TASKS, 1);
        shard_count_answer(7, false, 3);
        shard_count_request(7, MS);
        shard_count_timed(SHARD_QUERY, "a query", MS, 2 * MS, i % 2);
    }
    if (own)
        shard_end();
    return NULL;
}

/* own: as loops do; else as threads of threads mode. */
START_TEST(what_many_threads_count_at_once_is_all_counted_and_stays_when_they_have_ended)
{
    pthread_t threads[THREADS];
    name_sums names[SHARD_NAMES + 1];
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, count_much, _i ? threads : NULL), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    ck_assert_uint_eq(shard_sum(SHARD_TASKS), THREADS * EACH);
    ck_assert_uint_eq(sum_of_answers(7, false, 3), THREADS * EACH);
    ck_assert_uint_eq(sum_of_requests(7), THREADS * EACH);
    ck_assert_int_eq(shard_sum_names(SHARD_QUERY, names), 1);
    ck_assert_str_eq(names[0].name, "a query");
    ck_assert_uint_eq(names[0].waited.count, THREADS * EACH);
    ck_assert_uint_eq(names[0].took.time, UINT64_C(2) * MS * THREADS * EACH);
    ck_assert_uint_eq(names[0].failed, THREADS * EACH / 2);
}
END_TEST

static void *take_one_away(void *unused)
{
    shard_share();
    shard_add(SHARD_CONNECTIONS, -1);
    return unused;
}

START_TEST(what_one_thread_adds_another_may_take_away)
{
    pthread_t other;
    shard_begin();
    shard_add(SHARD_CONNECTIONS, 1);
    ck_assert_uint_eq(shard_sum(SHARD_CONNECTIONS), 1);
    ck_assert_int_eq(pthread_create(&other, NULL, take_one_away, NULL), 0);
    pthread_join(other, NULL);
    ck_assert_uint_eq(shard_sum(SHARD_CONNECTIONS), 0);
    shard_end();
    ck_assert_uint_eq(shard_sum(SHARD_CONNECTIONS), 0);
}
END_TEST

START_TEST(an_answer_to_head_is_told_from_others)
{
    shard_count_answer(9, true, 3);
    ck_assert_uint_eq(sum_of_answers(9, true, 3), 1);
    ck_assert_uint_eq(sum_of_answers(9, false, 3), 0);
    ck_assert_uint_eq(sum_of_answers(10, true, 3), 0);
}
END_TEST

START_TEST(a_duration_counts_in_the_first_bucket_whose_bound_it_does_not_exceed)
{
    duration_sums took;
    uint64_t answers[2][SHARD_OUTCOMES];
    for (int i = 0; i < DURATION_BUCKETS; i++) {
        durations d = { 0 };
        duration_sums s = { .count = 0 };
        const uint64_t least = i ? DURATION_BOUNDS[i - 1] + 1 : 0, most = DURATION_BOUNDS[i];
        ck_assert_uint_gt(most, i ? DURATION_BOUNDS[i - 1] : 0);
        durations_add(false, &d, least);
        durations_add(false, &d, most);
        duration_sums_add(&s, &d);
        ck_assert_uint_eq(s.counts[i], 2);
        ck_assert_uint_eq(s.count, 2);
        if (most != UINT64_MAX)
            ck_assert_double_eq_tol(strtod(DURATION_SECONDS[i], NULL), (double)most / 1e9, 1e-12);
    }
    ck_assert_str_eq(DURATION_SECONDS[DURATION_BUCKETS - 1], "+Inf");
    ck_assert(!shard_sum_route(11, &took, answers));
}
END_TEST

START_TEST(what_has_not_begun_has_waited_and_taken_no_time)
{
    name_sums names[SHARD_NAMES + 1];
    shard_count_timed(SHARD_JOB, "late", MS, SHARD_NOT_BEGUN, true);
    ck_assert_int_eq(shard_sum_names(SHARD_JOB, names), 1);
    ck_assert_uint_eq(names[0].waited.count, 1);
    ck_assert_uint_eq(names[0].took.count, 0);
    ck_assert_uint_eq(names[0].failed, 1);
    ck_assert_int_eq(shard_sum_names(SHARD_OUTGOING, names), 0);
}
END_TEST

/* The same name, at another place in memory, is the same. */
START_TEST(names_are_summed_by_their_text_and_sorted_and_those_without_room_are_others)
{
    enum { MANY = 3 * SHARD_NAMES };
    static char texts[MANY][24];
    static char again[] = "name 001";
    name_sums names[SHARD_NAMES + 1];
    shard_count_timed(SHARD_QUERY, again, MS, MS, false);
    for (int i = 0; i < MANY; i++) {
        snprintf(texts[i], sizeof texts[i], "name %03d", i);
        shard_count_timed(SHARD_QUERY, texts[i], MS, MS, false);
    }
    const int count = shard_sum_names(SHARD_QUERY, names);
    uint64_t all = 0, others = 0;
    ck_assert_int_le(count, SHARD_NAMES + 1);
    for (int i = 0; i < count; i++) {
        all += names[i].took.count;
        if (strcmp(names[i].name, "other") == 0)
            others = names[i].took.count;
        if (strcmp(names[i].name, again) == 0)
            ck_assert_uint_eq(names[i].took.count, 2);
        ck_assert(i == 0 || strcmp(names[i - 1].name, names[i].name) < 0);
    }
    ck_assert_uint_eq(all, MANY + 1);
    ck_assert_uint_gt(others, 0);
}
END_TEST

static void note_number(const shard *s, void *arg)
{
    int *const last = arg;
    if (s->number > 0)
        ck_assert_int_gt(s->number, *last);
    *last = s->number;
}

START_TEST(shards_are_shown_in_the_order_of_their_loops_and_the_shared_ones_behind_them)
{
    int last = 0;
    shard *const before = shard_here;
    shard_begin();
    ck_assert_ptr_ne(shard_here, before);
    ck_assert_int_gt(shard_here->number, 0);
    shard_each(note_number, &last);
    ck_assert_int_eq(last, 0);
    shard_end();
    ck_assert_int_eq(shard_here->number, 0);
}
END_TEST

Suite *shard_suite(void)
{
    Suite *s = suite_create("shard");
    TCase *t = tcase_create("all");
    tcase_add_loop_test(t, what_many_threads_count_at_once_is_all_counted_and_stays_when_they_have_ended, 0, 2);
    tcase_add_test(t, what_one_thread_adds_another_may_take_away);
    tcase_add_test(t, an_answer_to_head_is_told_from_others);
    tcase_add_test(t, a_duration_counts_in_the_first_bucket_whose_bound_it_does_not_exceed);
    tcase_add_test(t, what_has_not_begun_has_waited_and_taken_no_time);
    tcase_add_test(t, names_are_summed_by_their_text_and_sorted_and_those_without_room_are_others);
    tcase_add_test(t, shards_are_shown_in_the_order_of_their_loops_and_the_shared_ones_behind_them);
    suite_add_tcase(s, t);
    return s;
}
