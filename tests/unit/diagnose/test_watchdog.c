/* test_watchdog.c - blocked loops are found out, where they are and for whom; dumps say what tasks wait for. */
#include "server/diagnose/unawaited_log.h"
#include "server/async/label.h"
#include "server/async/loop.h"
#include "server/async/scope.h"
#include "server/diagnose/remote_unwind.h"
#include "server/async/task.h"
#include "server/async/timer.h"
#include "server/async/timing.h"
#include "server/diagnose/watchdog.h"
#include "server/base/memory.h"
#include "tests/support/skipped.h"
#include "tests/unit/suites.h"
#include "tests/support/support.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

enum { SLOW = 200 };                         /* ms: for less a busy machine may hold up what is quick */
static const double PATIENCE = 15e9;         /* nanoseconds for the watch to notice */

/* Long enough to be noticed, however slow the machine is: until the log says that. */
static bool waits(const char *part, int times, uint64_t since)
{
    return log_times(part) < times && (double)(uv_hrtime() - since) < PATIENCE;
}

static __attribute__((noinline)) void spin_until(const char *part, int times)
{
    const uint64_t since = uv_hrtime();
    while (waits(part, times, since))
        for (uint64_t until = uv_hrtime() + 2000000; uv_hrtime() < until;)
            ;
}

static void begin(uint64_t slow)
{
    log_capture();
    ck_assert_int_eq(watchdog_start(slow), 0);
    ck_assert_int_eq(loop_start(), 0);
    watchdog_loop_begin();
}

static void end(void)
{
    watchdog_loop_end();
    timer_end();
    ck_assert_int_eq(loop_done(), 0);
    watchdog_stop();
}

static void has(const char *part)
{
    ck_assert_msg(log_times(part) > 0, "not in the log: %s\n%s", part, log_captured());
}

static void block(ready *r)
{
    (void)r;
    spin_until("is blocked", 1);
    __asm__ volatile("");                    /* so that the call above is not the last thing, and a jump */
}

START_TEST(a_callback_that_blocks_is_logged_with_function_file_and_line)
{
    static ready slow = { .run = block };
    begin(SLOW);
    loop_immediate(&slow);
    loop_run();
    has("loop 1 is blocked, for ");
    has("spin_until (tests/unit/diagnose/test_watchdog.c:");
    has("block (tests/unit/diagnose/test_watchdog.c:");
    end();
    has("loop 1 was blocked for ");
    ck_assert_int_eq(log_times("is blocked"), 1);
}
END_TEST

static int block_in_task(void *arg)
{
    (void)arg;
    await(sleep_for(1));
    spin_until("is blocked", 1);
    return 0;
}

static void keep_counts(const char *name, const label_counts *c, void *counts)
{
    if (strcmp(name, "GET /blocks") == 0)
        *(label_counts *)counts = *c;
}

START_TEST(a_task_that_blocks_is_named_with_its_label_and_the_count_goes_up)
{
    int err = 1;
    label_counts counts = { 0 };
    begin(SLOW);
    scope_relabel(label_of("GET /blocks"));
    when_settled(task_start("blocking task", block_in_task, NULL), store, &err);
    scope_relabel(0);
    loop_run();
    end();
    has("by GET /blocks (blocking task, ");
    has("block_in_task (tests/unit/diagnose/test_watchdog.c:");
    has("was blocked for ");
    ck_assert_ptr_null(strstr(log_captured(), "loop_run (")); /* the stack ends where the task's does */
    label_each(keep_counts, &counts);
    ck_assert_uint_eq(counts.blocked, 1);
    ck_assert_uint_ge(counts.longest, SLOW);
}
END_TEST

static int  pipes[2];
static long polled;

static __attribute__((noinline)) void sleep_in_the_kernel(ready *r)
{
    (void)r;
    polled = poll(&(struct pollfd){ pipes[0], POLLIN, 0 }, 1, -1);
    if (polled < 0)
        polled = -errno;
}

static void *wake_when_noticed(void *arg)
{
    const uint64_t since = uv_hrtime();
    while (waits("is blocked", 1, since))
        poll(NULL, 0, 1);
    ck_assert_int_eq(write(pipes[1], "x", 1), 1);
    return arg;
}

/* Some containers do not let a process look at itself. */
static bool can_peek(void)
{
    int here = 1, copy = 0;
    return access("/proc/thread-self/syscall", R_OK) == 0 && remote_read((uintptr_t)&here, &copy, sizeof copy) && copy == 1;
}

START_TEST(a_callback_that_sleeps_is_seen_and_its_sleep_is_not_interrupted)
{
    static ready sleeping = { .run = sleep_in_the_kernel };
    pthread_t waker;
    ck_assert_int_eq(pipe(pipes), 0);
    begin(SLOW);
    ck_assert_int_eq(pthread_create(&waker, NULL, wake_when_noticed, NULL), 0);
    loop_immediate(&sleeping);
    loop_run();
    pthread_join(waker, NULL);
    end();
    has("is blocked");
    if (RESERVE_NOTHING)
        return;                              /* those builds keep frame pointers, and need the signal */
    if (!can_peek()) {
        skipped(__func__, NEEDS_PEEK);
        return;
    }
    has("sleep_in_the_kernel (tests/unit/diagnose/test_watchdog.c:");
#ifdef __OPTIMIZE__
#ifdef __x86_64__
    ck_assert_int_eq(polled, 1);
#endif
#endif
}
END_TEST

static int round_;

static void block_again(ready *r)
{
    spin_until("is blocked", ++round_);
    if (round_ < 3)
        loop_immediate(r);
}

START_TEST(each_of_several_blockages_is_logged)
{
    static ready again = { .run = block_again };
    begin(SLOW);
    loop_immediate(&again);
    loop_run();
    end();
    ck_assert_int_eq(log_times("is blocked"), 3);
    ck_assert_int_eq(log_times("was blocked"), 3);
}
END_TEST

static void block_beside(ready *r)
{
    (void)r;
    spin_until("is blocked", 2);
}

static void *other_loop(void *arg)
{
    ready slow = { .run = block_beside };
    ck_assert_int_eq(loop_start(), 0);
    watchdog_loop_begin();
    loop_immediate(&slow);
    loop_run();
    watchdog_loop_end();
    ck_assert_int_eq(loop_done(), 0);
    return arg;
}

START_TEST(two_loops_that_are_blocked_at_once_are_both_logged)
{
    pthread_t other;
    ready slow = { .run = block_beside };
    begin(SLOW);
    ck_assert_int_eq(pthread_create(&other, NULL, other_loop, NULL), 0);
    loop_immediate(&slow);
    loop_run();
    pthread_join(other, NULL);
    end();
    has("loop 1 is blocked");
    has("loop 2 is blocked");
    has("loop 1 was blocked");
    has("loop 2 was blocked");
}
END_TEST

static void be_quick(ready *r)
{
    (void)r;
    for (uint64_t until = uv_hrtime() + 5000000; uv_hrtime() < until;)
        ;
}

START_TEST(what_is_quick_enough_is_not_logged_nor_is_anything_if_nothing_is_slow)
{
    static const uint64_t SLOW[] = { 60000, 0 };
    static ready quick = { .run = be_quick };
    for (int i = 0; i < 2; i++) {
        begin(SLOW[i]);
        loop_immediate(&quick);
        loop_run();
        end();
        ck_assert_str_eq(log_captured(), "");
    }
}
END_TEST

START_TEST(a_loop_that_has_nothing_to_do_is_not_blocked)
{
    begin(1);
    for (int i = 0; i < 4; i++)              /* outside of any callback, as while it waits */
        poll(NULL, 0, 5);
    end();
    ck_assert_str_eq(log_captured(), "");
}
END_TEST

static struct sigaction      asked_by_watchdog;
static volatile sig_atomic_t asked;

static void note_question(int number)
{
    asked_by_watchdog.sa_handler(number);
    asked = 1;
}

/* Until it is asked what it does, the watchdog looks only when it is woken: a quarter of an hour is too long to wait for. */
static void block_for_hours(ready *r)
{
    struct sigaction own;
    (void)r;
    sigaction(SIGURG, NULL, &asked_by_watchdog);
    own = asked_by_watchdog;
    own.sa_handler = note_question;
    sigaction(SIGURG, &own, NULL);
    while (!asked && log_times("is blocked") == 0) {
        clock_skip(600000);
        watchdog_wake();
        for (uint64_t until = uv_hrtime() + 3000000; uv_hrtime() < until;)
            ;
    }
    spin_until("is blocked", 1);             /* nobody wakes it any more */
    has("is blocked");
}

START_TEST(while_a_loop_is_blocked_it_is_looked_at_more_often)
{
    static ready slow = { .run = block_for_hours };
    begin(3600000);
    loop_immediate(&slow);
    loop_run();
    end();
    has("was blocked");
}
END_TEST

static void forget_one(void)
{
    unawaited_log_note(&(promise_origin){ .maker = "maker", .place = (const void *)forget_one }, "test");
}

START_TEST(what_is_forgotten_is_logged_when_the_watchdog_stops_at_the_latest)
{
    begin(0);
    forget_one();
    spin_until("never awaited", 1);
    forget_one();                            /* within a second: not yet */
    end();
    ck_assert_int_eq(log_times("never awaited"), 2);
}
END_TEST

static int sleep_long(void *arg)
{
    (void)arg;
    return await(sleep_for(60000));
}

static bool seen;

static int yield_until_seen(void *arg)
{
    (void)arg;
    while (!seen)
        task_yield();
    return 0;
}

static promise *sleeper;

static void dump_until_seen(void)
{
    const uint64_t since = uv_hrtime();
    raise(SIGUSR2);
    while (waits("has 2 tasks", 1, since))
        uv_run(loop_here(), UV_RUN_NOWAIT);
    seen = true;
    promise_cancel(sleeper);
}

START_TEST(a_dump_names_every_task_and_what_it_waits_for)
{
    int err = 1, other = 1;
    begin(0);
    scope_relabel(label_of("GET /long"));
    when_settled(sleeper = task_start("long sleeper", sleep_long, NULL), store, &err);
    scope_relabel(0);
    loop_run_ready();
    when_settled(task_start("newcomer", yield_until_seen, NULL), store, &other);
    dump_until_seen();
    loop_run();
    end();
    has("loop 1 has 2 tasks");
    has("long sleeper, ");
    has("old (GET /long), awaits sleep_for() at tests/unit/diagnose/test_watchdog.c:");
    has("newcomer, ");
    has("old (other), yields at tests/unit/diagnose/test_watchdog.c:");
    ck_assert_int_eq(err, UV_ECANCELED);
}
END_TEST

Suite *watchdog_suite(void)
{
    Suite *s = suite_create("watchdog");
    TCase *t = tcase_create("all");
    tcase_add_test(t, a_callback_that_blocks_is_logged_with_function_file_and_line);
    tcase_add_test(t, a_task_that_blocks_is_named_with_its_label_and_the_count_goes_up);
    tcase_add_test(t, a_callback_that_sleeps_is_seen_and_its_sleep_is_not_interrupted);
    tcase_add_test(t, each_of_several_blockages_is_logged);
    tcase_add_test(t, two_loops_that_are_blocked_at_once_are_both_logged);
    tcase_add_test(t, what_is_quick_enough_is_not_logged_nor_is_anything_if_nothing_is_slow);
    tcase_add_test(t, a_loop_that_has_nothing_to_do_is_not_blocked);
    tcase_add_test(t, while_a_loop_is_blocked_it_is_looked_at_more_often);
    tcase_add_test(t, what_is_forgotten_is_logged_when_the_watchdog_stops_at_the_latest);
    tcase_add_test(t, a_dump_names_every_task_and_what_it_waits_for);
    suite_add_tcase(s, t);
    return s;
}
