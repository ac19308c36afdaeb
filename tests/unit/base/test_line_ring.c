/* test_line_ring.c - lines of many threads, each whole, in a ring that goes round. */
#include "server/base/log/line_ring.h"
#include "tests/unit/suites.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIZE = 256 };

static _Alignas(64) char bytes[SIZE];
static line_ring        ring;

static void setup(void)
{
    memset(bytes, 0, sizeof bytes);
    ring = (line_ring){ .bytes = bytes, .size = SIZE };
}

static bool put(const char *line) { return line_ring_put(&ring, line, strlen(line)); }

/* The next line, of which the place is free then; "": there is none. */
static const char *taken(void)
{
    static char line[SIZE + 1];
    uint64_t at = atomic_load(&ring.taken);
    line[line_ring_copy(&ring, &at, line, SIZE)] = '\0';
    line_ring_free(&ring, at);
    return line;
}

START_TEST(lines_come_out_whole_and_in_order)
{
    ck_assert(put("one"));
    ck_assert(put("another"));
    ck_assert_uint_gt(line_ring_used(&ring), 10);
    ck_assert_str_eq(taken(), "one");
    ck_assert_str_eq(taken(), "another");
    ck_assert_str_eq(taken(), "");
    ck_assert_uint_eq(line_ring_used(&ring), 0);
}
END_TEST

START_TEST(a_line_goes_round_the_end_of_the_ring)
{
    char line[SIZE];
    for (int i = 0; i < 1000; i++) {         /* of each length, from each place */
        snprintf(line, sizeof line, "%0*d", 1 + i % (SIZE - 4), i % 10);
        ck_assert(put(line));
        ck_assert_str_eq(taken(), line);
        for (int at = 0; at < SIZE; at += 64)    /* where a line may begin */
            ck_assert_mem_eq(bytes + at, (char[4]){ 0 }, 4);
    }
}
END_TEST

START_TEST(a_line_for_which_there_is_no_room_is_not_put_at_all)
{
    char line[100];
    memset(line, 'x', sizeof line);
    ck_assert(line_ring_put(&ring, line, sizeof line));
    ck_assert(put("this fits"));
    ck_assert(!line_ring_put(&ring, line, sizeof line));
    ck_assert(put("this, too"));
    ck_assert_uint_eq(strlen(taken()), sizeof line);
    ck_assert_str_eq(taken(), "this fits");
    ck_assert_str_eq(taken(), "this, too");
    ck_assert(line_ring_put(&ring, line, sizeof line));
}
END_TEST

START_TEST(a_line_as_large_as_the_ring_fits_and_a_larger_one_never)
{
    static char line[SIZE];
    memset(line, 'x', sizeof line);
    ck_assert(!line_ring_put(&ring, line, SIZE - 3));
    ck_assert(line_ring_put(&ring, line, SIZE - 4));
    ck_assert(!put("x"));
    ck_assert_uint_eq(strlen(taken()), SIZE - 4);
}
END_TEST

START_TEST(what_has_been_copied_keeps_its_place_until_it_is_freed)
{
    char line[SIZE];
    uint64_t at = 0;
    put("first");
    put("second");
    ck_assert_uint_eq(line_ring_copy(&ring, &at, line, sizeof line), 5);
    ck_assert_uint_eq(line_ring_copy(&ring, &at, line, sizeof line), 6);
    ck_assert_uint_eq(line_ring_copy(&ring, &at, line, sizeof line), 0);
    ck_assert_uint_eq(line_ring_used(&ring), at);
    ck_assert_str_eq(taken(), "first");
}
END_TEST

START_TEST(a_line_that_does_not_fit_where_it_is_copied_to_stays)
{
    char line[SIZE];
    uint64_t at = 0;
    put("second");
    ck_assert_uint_eq(line_ring_copy(&ring, &at, line, 5), 0);
    ck_assert_uint_eq(at, 0);
    ck_assert_uint_eq(line_ring_copy(&ring, &at, line, 6), 6);
}
END_TEST

enum { THREADS = 4, LINES = 5000 };

static void *puts_many(void *arg)
{
    char line[32];
    for (int i = 0; i < LINES;) {
        snprintf(line, sizeof line, "%d %0*d", *(int *)arg, 1 + i % 20, i);
        if (put(line))
            i++;
        else
            sched_yield();                   /* who takes them may be waiting for this processor */
    }
    return NULL;
}

START_TEST(threads_lose_and_tear_no_line_and_each_one_s_are_in_order)
{
    static _Alignas(64) char room[4 * SIZE];         /* for some lines of each */
    ring = (line_ring){ .bytes = room, .size = sizeof room };
    pthread_t threads[THREADS];
    int numbers[THREADS], next[THREADS] = { 0 }, who, number;
    for (int i = 0; i < THREADS; i++) {
        numbers[i] = i;
        ck_assert_int_eq(pthread_create(&threads[i], NULL, puts_many, &numbers[i]), 0);
    }
    for (int i = 0; i < THREADS * LINES;) {
        const char *const line = taken();
        if (!*line) {
            sched_yield();
            continue;
        }
        ck_assert_msg(sscanf(line, "%d %d", &who, &number) == 2 && who < THREADS, "%s", line);
        ck_assert_int_eq(number, next[who]++);
        i++;
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}
END_TEST

Suite *line_ring_suite(void)
{
    Suite *s = suite_create("line_ring");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_test(t, lines_come_out_whole_and_in_order);
    tcase_add_test(t, a_line_goes_round_the_end_of_the_ring);
    tcase_add_test(t, a_line_for_which_there_is_no_room_is_not_put_at_all);
    tcase_add_test(t, a_line_as_large_as_the_ring_fits_and_a_larger_one_never);
    tcase_add_test(t, what_has_been_copied_keeps_its_place_until_it_is_freed);
    tcase_add_test(t, a_line_that_does_not_fit_where_it_is_copied_to_stays);
    tcase_add_test(t, threads_lose_and_tear_no_line_and_each_one_s_are_in_order);
    suite_add_tcase(s, t);
    return s;
}
