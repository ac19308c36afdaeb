/* test_task.c - start, pause, resume, drain; many; refused; too deep. */
#include "server/async/chain.h"
#include "server/async/combine.h"
#include "server/async/task.h"
#include "server/async/timing.h"
#include "server/base/memory.h"
#include "follow_fixture.h"
#include "tests/unit/suites.h"

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

static fake f;
static int  begun, ended;

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
    ck_assert(task_stack_left() > 32 * 1024 && task_stack_left() < 64 * 1024);
    await(sleep_for(1));
    ck_assert_str_eq(task_name(), "looker");
    return 0;
}

START_TEST(a_task_knows_itself)
{
    ck_assert(!task_running());
    ck_assert_str_eq(task_name(), "main");
    ck_assert_uint_eq(task_stack_left(), SIZE_MAX);
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
    promise *p = task_run(t, scope_here(), use_room, room);
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
    const int many = RESERVE_NOTHING ? 500 : MANY;
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
    run_in_thread(in_plain_thread, &err);
    ck_assert_int_eq(err, UV_EIO);
}
END_TEST

static int nested_run(void *arg)
{
    (void)arg;
    return await(task_run(task_new("inner", 0), scope_here(), await_fake, NULL));
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
    tcase_add_test(t, work_that_cannot_stop_is_drained);
    tcase_add_test(t, a_task_that_yields_for_ever_starves_neither_timers_nor_tasks);
    tcase_add_test(t, task_run_runs_here_and_its_room_lasts_until_task_free);
    tcase_add_test(t, thousands_wait_at_once);
    tcase_add_test(t, a_larger_stack_is_deeper);
    tcase_add_test(t, a_plain_thread_blocks_instead);
    if (!RESERVE_NOTHING) {                 /* the tools catch the signals, and need memory themselves */
        tcase_add_test(t, a_task_without_a_stack_is_refused);
        tcase_add_test_raise_signal(t, too_deep_a_task_dies_and_corrupts_nobody, SIGSEGV);
        tcase_add_test_raise_signal(t, a_task_is_run_by_the_loop_only, SIGABRT);
    }
    suite_add_tcase(s, t);
    return s;
}
