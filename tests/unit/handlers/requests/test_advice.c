/* test_advice.c - which model is advised, by what was measured. */
#include "handlers/requests/advice.h"
#include "server/async/context/stack.h"
#include "server/async/loop.h"
#include "server/async/task.h"
#include "server/base/reserve.h"
#include "tests/support/support.h"
#include "tests/unit/suites.h"

#include <string.h>
#include <unistd.h>

enum { N = 1000 };

/* Of a route of N requests: microseconds of each, and requests at once on average. */
typedef struct case_of {
    const char *name;
    uint64_t    n, all, waited, computed, pooled, blocked;
    double      at_once;
    advice_word word;
} case_of;

static const case_of CASES[] = {
    { "too few",                           99,  50000,  49000,    20,       0,  0,  400, ADVICE_UNKNOWN },
    { "as many as are enough",            100,  50000,  49000,    20,       0,  0,  400, ADVICE_ASYNC },
    { "waits, many at once",                N,  50000,  49000,    20,       0,  0,  400, ADVICE_ASYNC },
    { "waits, a few at once",               N,  50000,  49000,    20,       0,  0,   15, ADVICE_ASYNC_OR_THREADS },
    { "waits, some more at once",           N,  50000,  49000,    20,       0,  0,   17, ADVICE_ASYNC },
    { "waits, computes in the pool",        N,  50000,  40000,    20,    9000,  0,    2, ADVICE_ASYNC_WITH_POOL },
    { "hardly computes in the pool",        N,  50000,  47000,    20,    2400,  0,  400, ADVICE_ASYNC },
    { "waits, computes on the loop",        N,  50000,  40000,  9000,       0,  0,    2, ADVICE_ASYNC_WITH_POOL },
    { "waits, computes a little less",      N,  50000,  49000,   149,       0,  0,  400, ADVICE_ASYNC },
    { "computes only",                      N,   9000,      0,  9000,       0,  0,    2, ADVICE_THREADS },
    { "computes, and hardly waits",         N,  10000,    490,  9000,       0,  0,    2, ADVICE_THREADS },
    { "does neither",                       N,     20,      0,    20,       0,  0,    1, ADVICE_EITHER },
    { "blocks its loop now and then",       N,  50000,  49000,    20,       0,  1,  400, ADVICE_ASYNC_WITH_POOL },
    { "blocks it more rarely than that", 10 * N, 50000, 49000,    20,       0,  9,  400, ADVICE_ASYNC },
    { "computes for more than a second",    N, 1100000,     0, 1000000,     0,  0,    2, ADVICE_PROCESSES },
    { "does so in the pool",                N, 1100000,     0,    20, 1000000, 50,    2, ADVICE_PROCESSES },
    { "waits for more than a second",       N, 1100000, 1090000,  20,       0,  0,  400, ADVICE_ASYNC },
    { "has had no time at all",             N,      0,      0,     0,       0,  0,    0, ADVICE_EITHER },
};

static advice_figures figures_of(const case_of *c)
{
    const uint64_t each = c->n * 1000;
    return (advice_figures){ .requests = c->n, .all = c->all * each, .waited = c->waited * each, .computed = c->computed * each,
                              .pooled = c->pooled * each, .blocked = c->blocked,
                              .measured = c->at_once > 0 ? (uint64_t)((double)(c->all * each) / c->at_once) : 0 };
}

START_TEST(the_word_follows_from_the_figures)
{
    const case_of *const c = &CASES[_i];
    const advice_figures f = figures_of(c);
    const advice v = advice_of(&f);
    ck_assert_msg(v.word == c->word, "%s: %s", c->name, advice_name(v.word));
    ck_assert_ptr_nonnull(strchr(v.why, '.'));
}
END_TEST

START_TEST(it_says_by_how_many_requests_how_sure_it_is)
{
    advice_figures f = { .requests = 999 };
    ck_assert_str_eq(advice_of(&f).sure, "hardly");
    f.requests = 1000;
    ck_assert_str_eq(advice_of(&f).sure, "fairly");
    f.requests = 10000;
    ck_assert_str_eq(advice_of(&f).sure, "quite");
}
END_TEST

START_TEST(each_word_and_each_limit_has_a_name_and_a_reason)
{
    for (int w = 0; w < ADVICE_WORDS; w++)
        ck_assert_ptr_nonnull(advice_name((advice_word)w));
    for (int i = 0; i < ADVICE_LIMIT_COUNT; i++) {
        ck_assert_ptr_nonnull(ADVICE_LIMITS[i].name);
        ck_assert(ADVICE_LIMITS[i].value > 0);
        ck_assert_uint_gt(strlen(ADVICE_LIMITS[i].why), 20);
    }
}
END_TEST

START_TEST(each_row_of_what_suits_which_work_is_what_is_advised_for_such_figures)
{
    const advice_model *const m = &ADVICE_MODELS[_i];
    const advice v = advice_of(&m->example);
    ck_assert_msg(v.word == m->word, "%s: %s", m->work, advice_name(v.word));
    ck_assert_msg(m->word != ADVICE_UNKNOWN || m->model, "%s: nothing is advised", m->work);
    ck_assert_int_eq(m->why[strlen(m->why) - 1], '.');
}
END_TEST

START_TEST(a_figure_that_makes_another_work_of_it_changes_what_is_advised)
{
    advice_figures f = ADVICE_MODELS[0].example;             /* waits, thousands at once */
    f.measured *= 1000;                      /* so that few are there at once */
    ck_assert_int_eq(advice_of(&f).word, ADVICE_ASYNC_OR_THREADS);
    f = ADVICE_MODELS[0].example;
    f.computed = f.requests * 1000000;       /* and computes a millisecond between */
    ck_assert_int_eq(advice_of(&f).word, ADVICE_ASYNC_WITH_POOL);
    f.waited = 0;
    ck_assert_int_eq(advice_of(&f).word, ADVICE_THREADS);
    f.blocked = f.requests / 100;            /* it is a library that blocks */
    ck_assert_int_eq(advice_of(&f).word, ADVICE_ASYNC_WITH_POOL);
}
END_TEST

enum { WAITERS = 256 };

static promise *gates[WAITERS];

static int wait_at_gate(void *gate) { return await(*(promise **)gate); }

START_TEST(a_task_that_waits_is_a_page_of_memory)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    int errs[WAITERS];
    loop_start();
    for (int i = 0; i < WAITERS; i++) {
        gates[i] = promise_new(NULL, NULL);
        when_settled(task_start("waiter", wait_at_gate, &gates[i]), store, &errs[i]);
    }
    loop_run_ready();
    ck_assert_uint_le(stacks_resident(), WAITERS * page);
    ck_assert_uint_ge(stacks_resident(), WAITERS * page / 2);
    for (int i = 0; i < WAITERS; i++)
        promise_settle(gates[i], 0);
    loop_run();
}
END_TEST

Suite *advice_suite(void)
{
    Suite *s = suite_create("advice");
    TCase *t = tcase_create("all");
    tcase_add_loop_test(t, the_word_follows_from_the_figures, 0, sizeof CASES / sizeof CASES[0]);
    tcase_add_test(t, it_says_by_how_many_requests_how_sure_it_is);
    tcase_add_test(t, each_word_and_each_limit_has_a_name_and_a_reason);
    tcase_add_loop_test(t, each_row_of_what_suits_which_work_is_what_is_advised_for_such_figures, 0, ADVICE_MODEL_COUNT);
    tcase_add_test(t, a_figure_that_makes_another_work_of_it_changes_what_is_advised);
    if (!RESERVE_NOTHING)                    /* then stacks are mapped one by one */
        tcase_add_test(t, a_task_that_waits_is_a_page_of_memory);
    suite_add_tcase(s, t);
    return s;
}
