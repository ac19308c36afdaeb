/* test_verdict.c - what a comparison's figures say, in words. */
#include "handlers/compare/verdict.h"
#include "tests/unit/suites.h"

#include <check.h>
#include <string.h>

#define SECONDS(n) ((uint64_t)(n) * 1000000000)
#define MB(n) ((size_t)((n) * 1024 * 1024))

/* A thousand answers a second, of 50 us each, in both turns, to a thousand requests at once: alike in both modes. */
static figures of[MODES];
static char sentence[VERDICT_SENTENCE];

static void make_alike(void)
{
    for (int i = 0; i < MODES; i++)
        of[i] = (figures){ .turns = 2, .connections = 1000, .held = 1000, .threads = 6, .ns = SECONDS(5), .answers = 5000,
                           .cpu = 250000000, .p50_ms = 1, .p99_ms = 4, .per_second = { 990, 1010 }, .tail = { 3, 5 },
                           .stacks = MB(4), .kernel_stacks = MB(0.1), .rest = MB(1) };
}

static void says(int winner, const char *begin, const char *part)
{
    ck_assert_msg(verdict(of, sentence) == winner, "%s", sentence);
    ck_assert_msg(strncmp(sentence, begin, strlen(begin)) == 0 && strstr(sentence, part) != NULL, "%s", sentence);
}

static void answer(int mode, uint64_t answers)
{
    of[mode].answers = answers;
    of[mode].per_second = (range){ figures_per_second(&of[mode]) - 10, figures_per_second(&of[mode]) + 10 };
}

START_TEST(what_is_alike_makes_no_difference)
{
    says(VERDICT_NONE, "No difference that counts: 1000 answers a second by the loop and 1000 by threads", "does not matter");
}
END_TEST

START_TEST(without_a_turn_there_is_nothing_to_say)
{
    of[MODE_THREADS].turns = 0;
    ck_assert_int_eq(verdict(of, sentence), VERDICT_NONE);
    ck_assert_str_eq(sentence, "");
}
END_TEST

START_TEST(who_answers_more_wins_whichever_it_is)
{
    answer(MODE_THREADS, 6000);
    of[MODE_ASYNC].cpu = 500000000;
    says(MODE_THREADS, "Threads win: 1200 answers a second, 20 % more than the 1000 of the loop. ",
         "An answer took the loop 100 us of processor time, and threads 42 us.");
    make_alike();
    answer(MODE_ASYNC, 10000);
    of[MODE_THREADS].refused = 7000;
    of[MODE_ASYNC].cpu *= 2;
    says(MODE_ASYNC, "The loop wins: 2000 answers a second, 100 % more than the 1000 of threads. ",
         "Threads refused, or failed, 7000 requests.");
}
END_TEST

START_TEST(a_tenth_more_is_no_more_and_neither_is_one_turn_alone)
{
    answer(MODE_THREADS, 5400);
    of[MODE_THREADS].cpu = 270000000;
    says(VERDICT_NONE, "No difference", "");
    answer(MODE_THREADS, 7000);
    of[MODE_THREADS].per_second.low = 1005;
    of[MODE_THREADS].cpu = 350000000;
    says(VERDICT_NONE, "No difference", "");
}
END_TEST

START_TEST(what_others_took_decides_nothing)
{
    answer(MODE_THREADS, 6000);
    of[MODE_THREADS].cpu = 300000000;
    of[MODE_ASYNC].others = of[MODE_THREADS].others = SECONDS(4);
    says(VERDICT_NONE, "No difference",
         " Other programs used 80 % of a processor in the turns of the loop, and 80 % in those of threads");
    of[MODE_ASYNC].others = of[MODE_THREADS].others = 0;
    says(MODE_THREADS, "Threads win: 1200", "in both, 50 us and 50 us, of which threads used 6 %, and the loop 5 %.");
}
END_TEST

START_TEST(one_that_answers_nothing_loses)
{
    answer(MODE_ASYNC, 0);
    says(MODE_THREADS, "Threads win: 1000 answers a second, and the loop gave none. ", "");
    answer(MODE_THREADS, 0);
    says(VERDICT_NONE, "Neither has answered anything", "");
}
END_TEST

START_TEST(then_the_slowest_decide_if_they_are_far_apart_in_all_turns)
{
    of[MODE_ASYNC].p99_ms = 90;
    of[MODE_ASYNC].tail = (range){ 80, 95 };
    says(MODE_THREADS, "Threads win by the slowest: ",
         "one answer in a hundred took the loop 90.0 ms or longer, and threads 4.0 ms");
    of[MODE_ASYNC].tail.low = 4;
    says(VERDICT_NONE, "No difference", "");
    of[MODE_ASYNC].tail = (range){ 15, 16 };
    of[MODE_ASYNC].p99_ms = 16;
    says(VERDICT_NONE, "No difference", "");
}
END_TEST

START_TEST(then_memory_decides_and_is_told_by_kind)
{
    of[MODE_THREADS].stacks = MB(40);
    of[MODE_THREADS].kernel_stacks = MB(16);
    of[MODE_THREADS].rest = MB(8);
    says(MODE_ASYNC, "The loop wins by memory: both give about 1000 answers a second, but 1000 requests at once take 5.1 MB of"
                     " the loop, and 64.0 MB of threads: for each 4.2 KB of task stacks",
         "against 57.3 KB of thread stacks and 8.2 KB.");
    of[MODE_THREADS].stacks = MB(6);
    of[MODE_THREADS].kernel_stacks = of[MODE_THREADS].rest = MB(1);
    says(VERDICT_NONE, "No difference", "");
}
END_TEST

START_TEST(then_processor_time_decides)
{
    of[MODE_THREADS].cpu = 400000000;
    says(MODE_ASYNC, "The loop wins by processor time: both give about 1000 answers a second, and one took the loop 50 us of it,"
                     " and threads 80 us.", "");
}
END_TEST

START_TEST(answers_that_decide_nothing_are_not_called_alike)
{
    answer(MODE_THREADS, 7000);
    of[MODE_THREADS].per_second.low = 1005;
    of[MODE_THREADS].cpu = 350000000;
    of[MODE_THREADS].stacks = MB(40);
    says(MODE_ASYNC, "The loop wins by memory: that the loop gives 1000 answers a second and threads 1400 may be chance, or other"
                     " programs' doing, but 1000 requests", "");
}
END_TEST

START_TEST(the_longest_sentence_fits)
{
    for (int i = 0; i < MODES; i++) {
        of[i].stacks = of[i].kernel_stacks = of[i].rest = SIZE_MAX / 8;
        of[i].held = 10;
        of[i].others = of[i].cpu = UINT64_MAX / 1000;
    }
    of[MODE_THREADS].stacks = SIZE_MAX / 2;
    verdict(of, sentence);
    ck_assert_uint_lt(strlen(sentence), VERDICT_SENTENCE);
}
END_TEST

Suite *verdict_suite(void)
{
    Suite *s = suite_create("verdict");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, make_alike, NULL);
    tcase_add_test(t, what_is_alike_makes_no_difference);
    tcase_add_test(t, without_a_turn_there_is_nothing_to_say);
    tcase_add_test(t, who_answers_more_wins_whichever_it_is);
    tcase_add_test(t, a_tenth_more_is_no_more_and_neither_is_one_turn_alone);
    tcase_add_test(t, what_others_took_decides_nothing);
    tcase_add_test(t, one_that_answers_nothing_loses);
    tcase_add_test(t, then_the_slowest_decide_if_they_are_far_apart_in_all_turns);
    tcase_add_test(t, then_memory_decides_and_is_told_by_kind);
    tcase_add_test(t, then_processor_time_decides);
    tcase_add_test(t, answers_that_decide_nothing_are_not_called_alike);
    tcase_add_test(t, the_longest_sentence_fits);
    suite_add_tcase(s, t);
    return s;
}
