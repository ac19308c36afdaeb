/* test_task.c - start, pause, resume, cancel; many; refused; too deep. */
#include "server/async/loop.h"
#include "server/async/chain.h"
#include "server/async/combine.h"
#include "server/async/task.h"
#include "server/async/timing.h"
#include "server/memory.h"
#include "suites.h"
#include "support.h"

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

static fake f;
static int  err, begun, ended;

static void setup(void)
{
    loop_start();
    err = 1;
}

static void follow(promise *p) { when_settled(p, store, &err); }

static int await_fake(void *arg)
{
    (void)arg;
    begun++;
    const int e = await(fake_new(&f, 1));
    ended++;
    return e;
}

START_TEST(a_task_starts_from_the_loop_and_settles_with_what_fn_returns)
{
    follow(task_start("t", await_fake, NULL));
    ck_assert_int_eq(begun, 0);
    ck_assert_uint_eq(task_count(), 1);
    loop_run();
    ck_assert_int_eq(begun, 1);
    ck_assert_int_eq(ended, 0);
    promise_settle(f.promise, UV_EIO);
    ck_assert_int_eq(ended, 0);              /* not inside promise_settle */
    loop_run();
    ck_assert_int_eq(ended, 1);
    ck_assert_int_eq(err, UV_EIO);
    ck_assert_uint_eq(task_count(), 0);
}
END_TEST

static int look_around(void *arg)
{
    (void)arg;
    ck_assert(task_running());
    ck_assert_str_eq(task_name(), "looker");
    await(sleep_for(1));
    ck_assert_str_eq(task_name(), "looker");
    return 0;
}

START_TEST(a_task_knows_itself)
{
    ck_assert(!task_running());
    ck_assert_str_eq(task_name(), "main");
    follow(task_start("looker", look_around, NULL));
    loop_run_skipping();
    ck_assert_int_eq(err, 0);
    ck_assert(!task_running());
}
END_TEST

static int await_settled(void *arg)
{
    (void)arg;
    for (int i = 0; i < 1000; i++)
        if (await(promise_settled(UV_ENOENT)) != UV_ENOENT)
            return UV_EIO;
    begun = loop_run_ready();                /* no pause came between, so nothing was made ready */
    return 0;
}

START_TEST(what_has_settled_is_awaited_without_a_pause)
{
    follow(task_start("t", await_settled, NULL));
    loop_run();
    ck_assert_int_eq(err, 0);
    ck_assert_int_eq(begun, 0);
}
END_TEST

static int inner(void *arg)
{
    (void)arg;
    ended = await(fake_new(&f, UV_ECANCELED));
    return ended;
}

static int outer(void *arg)
{
    (void)arg;
    const int e = await(task_start("inner", inner, NULL));
    fake later;                              /* cancelled as soon as it is awaited */
    const int again = await(fake_new(&later, UV_ECANCELED));
    ck_assert_int_eq(later.cancels, 1);
    ck_assert_int_eq(again, UV_ECANCELED);
    ck_assert_int_eq(task_yield(), UV_ECANCELED);
    return e;
}

START_TEST(cancelling_reaches_the_innermost_await_and_all_later_ones)
{
    promise *p = task_start("outer", outer, NULL);
    follow(p);
    loop_run();
    promise_cancel(p);
    loop_run();
    ck_assert_int_eq(f.cancels, 1);
    ck_assert_int_eq(ended, UV_ECANCELED);
    ck_assert_int_eq(err, UV_ECANCELED);
}
END_TEST

START_TEST(a_task_cancelled_before_it_began_runs_and_its_awaits_are_cancelled)
{
    promise *p = task_start("inner", inner, NULL);
    follow(p);
    promise_cancel(p);
    loop_run();
    ck_assert_int_eq(f.cancels, 1);
    ck_assert_int_eq(err, UV_ECANCELED);
}
END_TEST

static fake deep[3];

static int innermost(void *arg)
{
    (void)arg;
    return await(fake_new(&deep[0], UV_ECANCELED));
}

static int helper(void)                      /* pauses, as any function that a task calls may */
{
    return await(gather(with_timeout(task_start("innermost", innermost, NULL), 3600000), sleep_for(3600000),
                        fake_new(&deep[1], UV_ECANCELED)));
}

static int calls_helpers(void *arg)
{
    (void)arg;
    const int e = helper();
    ended++;
    return e;
}

START_TEST(a_cancel_reaches_the_innermost_wait_through_helpers_and_combinations)
{
    promise *p = task_start("outer", calls_helpers, NULL);
    follow(p);
    loop_run_ready();
    promise_cancel(p);
    loop_run_ready();
    ck_assert_int_eq(deep[0].cancels, 1);
    ck_assert_int_eq(deep[1].cancels, 1);
    ck_assert_int_eq(ended, 1);
    ck_assert_int_eq(err, UV_ECANCELED);
    ck_assert_uint_eq(task_count(), 0);
    loop_run();                              /* nothing of it keeps the loop */
}
END_TEST

static uint64_t in(uint64_t ms) { return deadline_after(uv_hrtime(), ms); }

static int helper_with_deadline(void *arg)
{
    ck_assert_uint_eq(task_deadline(), NO_DEADLINE);
    task_limit(NULL, *(uint64_t *)arg);
    ck_assert_uint_eq(task_deadline(), *(uint64_t *)arg);
    ck_assert_int_eq(await(sleep_for(1)), 0);
    ck_assert_int_eq(helper(), UV_ETIMEDOUT);
    ck_assert_uint_ge(uv_hrtime(), *(uint64_t *)arg);
    ck_assert_int_eq(await(sleep_for(3600000)), UV_ETIMEDOUT);       /* and so on */
    ck_assert_int_eq(await(promise_settled(UV_EIO)), UV_EIO);
    ck_assert_int_eq(await(promise_settled(0)), 0);
    return task_yield();
}

START_TEST(a_deadline_ends_the_innermost_wait_and_says_so)
{
    uint64_t deadline = in(1000);
    follow(task_start("late", helper_with_deadline, &deadline));
    loop_run_skipping();
    ck_assert_int_eq(deep[0].cancels, 1);
    ck_assert_int_eq(deep[1].cancels, 1);
    ck_assert_int_eq(err, UV_ETIMEDOUT);
    ck_assert_uint_lt(uv_hrtime(), deadline + 500000000);
}
END_TEST

static int too_late_already(void *arg)
{
    (void)arg;
    task_limit(NULL, uv_hrtime());
    ck_assert_int_eq(await(sleep_for(3600000)), UV_ETIMEDOUT);
    return 0;
}

static int a_success_all_the_same(void *arg)
{
    (void)arg;
    task_limit(NULL, in(5));
    return await(fake_new(&f, 0));
}

START_TEST(a_deadline_that_has_come_is_noticed_and_a_success_still_counts)
{
    const uint64_t start = uv_hrtime();
    ck_assert_int_eq(outcome_of(task_start("late", too_late_already, NULL)), 0);
    ck_assert_uint_lt(uv_hrtime() - start, 1000000000);
    follow(task_start("lucky", a_success_all_the_same, NULL));
    loop_run_skipping();
    ck_assert_int_eq(f.cancels, 1);
    ck_assert_int_eq(err, 0);
}
END_TEST

static task *limited;

static int sleep_two_hours(void *arg)
{
    (void)arg;
    return await(sleep_for(7200000));
}

START_TEST(a_deadline_can_be_moved_and_lifted_while_the_task_waits)
{
    for (int moved = 0; moved < 2; moved++) {
        limited = task_new("limited", 0);
        task_limit(limited, in(1000));
        follow(task_run(limited, sleep_two_hours, NULL));
        task_limit(limited, moved ? in(3600000) : NO_DEADLINE);
        loop_run_skipping();
        ck_assert_int_eq(err, moved ? UV_ETIMEDOUT : 0);
        task_free(limited);
    }
}
END_TEST

static int cancelled_before_its_deadline(void *arg)
{
    (void)arg;
    task_limit(NULL, in(3600000));
    return await(fake_new(&f, UV_ECANCELED));
}

START_TEST(a_task_that_is_cancelled_in_time_is_told_that)
{
    promise *p = task_start("t", cancelled_before_its_deadline, NULL);
    follow(p);
    loop_run_ready();
    promise_cancel(p);
    loop_run_ready();
    ck_assert_int_eq(err, UV_ECANCELED);
    ck_assert(!uv_loop_alive(loop_here()));  /* its timer went with it */
}
END_TEST

static int yields_for_ever(void *arg)
{
    (void)arg;
    int e;
    task_limit(NULL, in(20));
    while (!(e = task_yield()))
        begun++;
    return e;
}

START_TEST(a_task_that_only_yields_ends_by_its_deadline_too)
{
    ck_assert_int_eq(outcome_of(task_start("t", yields_for_ever, NULL)), UV_ETIMEDOUT);
    ck_assert_int_gt(begun, 0);
}
END_TEST

static void limited_in_plain_thread(void *arg)
{
    int *outcome = arg;
    ck_assert_uint_eq(task_deadline(), NO_DEADLINE);
    task_limit(NULL, in(3));
    ck_assert_int_eq(await(sleep_for(1)), 0);
    *outcome = await(gather(sleep_for(3600000), sleep_for(3600000)));
    ck_assert_uint_ge(uv_hrtime(), task_deadline());
    task_limit(NULL, NO_DEADLINE);
    ck_assert_int_eq(await(sleep_for(1)), 0);
}

START_TEST(the_deadline_of_a_plain_thread_ends_what_it_waits_for)
{
    uv_thread_t t;
    uv_thread_create(&t, limited_in_plain_thread, &err);
    uv_thread_join(&t);
    ck_assert_int_eq(err, UV_ETIMEDOUT);
}
END_TEST

START_TEST(work_that_cannot_stop_is_drained)
{
    promise *p = task_start("t", await_fake, NULL);
    follow(p);
    loop_run();
    promise_cancel(p);
    loop_run();
    ck_assert_int_eq(ended, 0);
    promise_settle(f.promise, 0);            /* it succeeded all the same */
    loop_run();
    ck_assert_int_eq(ended, 1);
    ck_assert_int_eq(err, 0);
}
END_TEST

static int yield_for_ever(void *arg)
{
    (void)arg;
    int e;
    while ((e = task_yield()) == 0)
        begun++;
    return e;
}

static int sleep_an_hour(void *arg)
{
    (void)arg;
    return await(sleep_for(3600000));
}

START_TEST(a_task_that_yields_for_ever_starves_neither_timers_nor_tasks)
{
    follow(race(task_start("busy", yield_for_ever, NULL), task_start("t", sleep_an_hour, NULL)));
    for (int i = 0; i < 10; i++)
        loop_turn_skipping();
    ck_assert_int_ge(begun, 5);
    clock_skip(3600001);
    loop_run();
    ck_assert_int_eq(err, 0);
    ck_assert_uint_eq(task_count(), 0);
}
END_TEST

static int use_room(void *arg)
{
    char *room = arg;
    ck_assert_str_eq(room, "mine");
    strcpy(room, "yours");
    return await_fake(NULL);
}

START_TEST(task_run_runs_here_and_its_room_lasts_until_task_free)
{
    task *t = task_new("server", 4000);
    char *room = task_room(t);
    ck_assert_uint_eq((uintptr_t)room % 16, 0);
    memset(room, 0, 4000);
    strcpy(room, "mine");
    promise *p = task_run(t, use_room, room);
    ck_assert_int_eq(begun, 1);              /* up to its first pause */
    follow(p);
    promise_settle(f.promise, 0);
    loop_run();
    ck_assert_int_eq(err, 0);
    ck_assert_str_eq(room, "yours");
    task_free(t);
    ck_assert_uint_eq(task_count(), 0);
    task_free(task_new("never run", 100));
}
END_TEST

static int count_up(void *arg)
{
    char text[64];
    snprintf(text, sizeof text, "%d", *(int *)arg);
    await(sleep_for(1));
    begun += text[0] != '\0';
    return await(gather(sleep_for(1), sleep_for(2)));
}

START_TEST(thousands_wait_at_once)
{
    enum { MANY = 5000 };
    static int errs[MANY];
    const int many = mem_each_its_own ? 500 : MANY;
    for (int round = 0; round < 2; round++) {                /* the second on used stacks */
        for (int i = 0; i < many; i++) {
            errs[i] = 1;
            when_settled(task_start("many", count_up, &errs[i]), store, &errs[i]);
        }
        ck_assert_int_eq((int)task_count(), many);
        loop_run_skipping();
        for (int i = 0; i < many; i++)
            ck_assert_int_eq(errs[i], 0);
    }
    ck_assert_int_eq(begun, 2 * many);
    ck_assert_uint_eq(task_count(), 0);
}
END_TEST

START_TEST(a_task_without_a_stack_is_refused)
{
    struct rlimit limit = { 4096, RLIM_INFINITY };
    int e = 1;
    ck_assert(promise_take_if_settled(promise_settled(0), &e));
    setrlimit(RLIMIT_AS, &limit);
    const bool settled = promise_take_if_settled(task_start("t", await_fake, NULL), &e);
    task *t = task_new("t", 0);
    limit.rlim_cur = RLIM_INFINITY;
    setrlimit(RLIMIT_AS, &limit);
    ck_assert(settled);
    ck_assert_int_eq(e, UV_ENOMEM);
    ck_assert_ptr_null(t);
    ck_assert_uint_eq(task_count(), 0);
}
END_TEST

/* A frame larger than a page, of which only the far end is touched. */
__attribute__((noinline)) static int recurse(int n)
{
    char volatile frame[6000];
    __asm__ volatile("" : : "r"(frame) : "memory");          /* all of it must be there */
    frame[0] = (char)n;
    return n > 0 ? recurse(n - 1) + frame[0] : frame[0];
}

static int too_deep(void *arg)
{
    (void)arg;
    return recurse(100) ? 0 : UV_EIO;
}

START_TEST(too_deep_a_task_dies_and_corrupts_nobody)
{
    follow(task_start("neighbour", await_fake, NULL));
    follow(task_start("deep", too_deep, NULL));
    loop_run();
}
END_TEST

START_TEST(a_larger_stack_is_deeper)
{
    task_set_stack_size(1 << 20);
    follow(task_start("deep", too_deep, NULL));
    loop_run();
    ck_assert_int_le(err, 0);
}
END_TEST

static promise *failing(void *arg)
{
    (void)arg;
    return promise_settled(UV_EIO);
}

static void in_plain_thread(void *arg)
{
    int *outcome = arg;
    if (await(sleep_for(1)) == 0 && await(gather(sleep_for(1), sleep_for(1))) == 0 && task_yield() == 0)
        *outcome = await(then(promise_settled(0), failing, NULL));
}

START_TEST(a_plain_thread_blocks_instead)
{
    uv_thread_t t;
    uv_thread_create(&t, in_plain_thread, &err);
    uv_thread_join(&t);
    ck_assert_int_eq(err, UV_EIO);
}
END_TEST

static int nested_run(void *arg)
{
    (void)arg;
    return await(task_run(task_new("inner", 0), await_fake, NULL));
}

START_TEST(a_task_is_run_by_the_loop_only)
{
    follow(task_start("outer", nested_run, NULL));
    loop_run();
}
END_TEST

Suite *task_suite(void)
{
    Suite *s = suite_create("task");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_test(t, a_task_starts_from_the_loop_and_settles_with_what_fn_returns);
    tcase_add_test(t, a_task_knows_itself);
    tcase_add_test(t, what_has_settled_is_awaited_without_a_pause);
    tcase_add_test(t, cancelling_reaches_the_innermost_await_and_all_later_ones);
    tcase_add_test(t, a_task_cancelled_before_it_began_runs_and_its_awaits_are_cancelled);
    tcase_add_test(t, a_cancel_reaches_the_innermost_wait_through_helpers_and_combinations);
    tcase_add_test(t, a_deadline_ends_the_innermost_wait_and_says_so);
    tcase_add_test(t, a_deadline_that_has_come_is_noticed_and_a_success_still_counts);
    tcase_add_test(t, a_deadline_can_be_moved_and_lifted_while_the_task_waits);
    tcase_add_test(t, a_task_that_is_cancelled_in_time_is_told_that);
    tcase_add_test(t, a_task_that_only_yields_ends_by_its_deadline_too);
    tcase_add_test(t, the_deadline_of_a_plain_thread_ends_what_it_waits_for);
    tcase_add_test(t, work_that_cannot_stop_is_drained);
    tcase_add_test(t, a_task_that_yields_for_ever_starves_neither_timers_nor_tasks);
    tcase_add_test(t, task_run_runs_here_and_its_room_lasts_until_task_free);
    tcase_add_test(t, thousands_wait_at_once);
    tcase_add_test(t, a_larger_stack_is_deeper);
    tcase_add_test(t, a_plain_thread_blocks_instead);
    if (!mem_each_its_own) {                 /* the tools catch the signals, and need memory themselves */
        tcase_add_test(t, a_task_without_a_stack_is_refused);
        tcase_add_test_raise_signal(t, too_deep_a_task_dies_and_corrupts_nobody, SIGSEGV);
        tcase_add_test_raise_signal(t, a_task_is_run_by_the_loop_only, SIGABRT);
    }
    suite_add_tcase(s, t);
    return s;
}
