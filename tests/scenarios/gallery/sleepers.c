/* sleepers.c - a hundred and ten thousand sleepers: each figure and sentence of their pages. */
#include "tests/scenarios/scenarios.h"

#include "tests/scenarios/support/recorded.h"

#include <sys/resource.h>
#include <unistd.h>

enum { TASK_NAP = 1000, CROWD_NAP = 800, DRAWN_OF_HUNDRED = 20, DRAWN_OF_CROWD = 40 };        /* ms; rows */

/* Both kinds sleep side by side, each of them for its second; threads mode has threads alone. False if they began one by one,
 * or woke late, as they may on a busy machine. */
static bool hundreds_sleep_together(const json_t *run)
{
    const tracks tasks = tracks_called(run, "a task, one of five"), threads = tracks_called(run, "a thread, one of five");
    const waits slept = waits_of(run, "a thread, one of five", "uv_cond_timedwait");

    ck_assert_int_eq(threads.succeeded, DRAWN_OF_HUNDRED);
    bool together = most_of(run, "threads asleep") == 100 && threads.last_begin < threads.first_end;
    ck_assert_int_eq(slept.count, DRAWN_OF_HUNDRED);
    ck_assert_int_ge(slept.shortest, TASK_NAP * 1000);
    ck_assert_int_eq(tasks.succeeded, in_threads_mode() ? 0 : DRAWN_OF_HUNDRED);
    ck_assert_int_ge(figure(run, "slept, all together"), in_threads_mode() ? 100 : 200);
    if (!in_threads_mode()) {
        const waits also = waits_of(run, "a task, one of five", "sleep_for");
        together = together && most_of(run, "tasks asleep") == 100 && tasks.last_begin < threads.first_end;
        ck_assert_int_eq(also.count, DRAWN_OF_HUNDRED);
        ck_assert_int_ge(also.shortest, TASK_NAP * 1000);
    }
    ck_assert_int_eq(number_of(run, "dropped"), 0);
    return together && (run_slowed() || number_of(run, "took_us") < 2000000);        /* not the sum */
}

START_TEST(a_hundred_tasks_and_a_hundred_threads_sleep_at_the_same_time)
{
    bool together = false;
    for (int tries = 0; tries < 6 && !together; tries++) {
        json_t *run = run_of("hundred-sleepers");
        together = hundreds_sleep_together(run);
        json_decref(run);
    }
    ck_assert(together);
}
END_TEST

/* What is touched of a stack is in memory; of a thread's, all is set aside that it may have. */
START_TEST(what_either_takes_is_measured)
{
    const int64_t page = sysconf(_SC_PAGESIZE);
    struct rlimit stack;
    getrlimit(RLIMIT_STACK, &stack);
    json_t *run = run_of("hundred-sleepers");
    const int64_t thread = figure(run, "stack of a thread, in memory"), aside = figure(run, "set aside for that");

    ck_assert_int_ge(thread, page);
    ck_assert_int_lt(thread, aside * 1024);
    if (stack.rlim_cur != RLIM_INFINITY)
        ck_assert_int_ge(aside * 1024 + 64 * page, (int64_t)stack.rlim_cur);
    ck_assert_int_le(figure(run, "its page tables"), 4 * page);
    if (!in_threads_mode()) {
        const int64_t task = figure(run, "stack of a task, in memory");
        ck_assert_int_ge(task, page);
        ck_assert_int_le(task, figure(run, "set aside for it") * 1024);
        if (!run_slowed())
            ck_assert_int_lt(task, thread);
        ck_assert_int_lt(figure(run, "set aside for it"), aside);
    }
    bool kernel = false, tables = false;     /* others' threads come and go meanwhile */
    for (int tries = 0; tries < 8 && !(kernel && tables); tries++) {
        const int64_t each = figure(run, "its stack in the kernel");
        kernel |= each > 6 * 1024 && each < 70 * 1024;
        tables |= figure(run, "its page tables") > 0;
        json_decref(run);
        run = run_of("hundred-sleepers");
    }
    ck_assert(kernel && tables);
    json_decref(run);
}
END_TEST

/* It is a run of a second: the machine may be busy with something else in one, and less so in the next. */
START_TEST(ten_thousand_sleep_at_once_and_others_hardly_notice)
{
    enum { HARDLY = 100 };                   /* ms; a loop that is blocked, as sleep-bad does, makes others wait for 200 */
    int64_t others = INT64_MAX, sleepers = 0;
    bool together = false;
    if (in_threads_mode())
        return;
    for (int tries = 0; tries < 6 && (others > HARDLY || !together); tries++) {
        json_t *run = run_of("ten-thousand-sleepers");
        const tracks drawn = tracks_called(run, "sleeper, a sample");
        const waits slept = waits_of(run, "sleeper, a sample", "sleep_for(NAP)");
        sleepers = figure(run, "sleepers");
        others = figure(run, "others waited, at most") / 1000;
        together = figure(run, "asleep at once") == sleepers && most_of(run, "asleep") == sleepers;
        ck_assert_int_eq(number_of(run, "dropped"), 0);
        ck_assert_int_eq(drawn.count, DRAWN_OF_CROWD);
        ck_assert_int_eq(drawn.succeeded, DRAWN_OF_CROWD);
        ck_assert_int_eq(slept.count, DRAWN_OF_CROWD);
        ck_assert_int_ge(slept.shortest, CROWD_NAP * 1000);
        ck_assert_int_le(slept.longest, CROWD_NAP * 1000 + figure(run, "at worst") + 1000);
        ck_assert_int_ge(figure(run, "at worst"), figure(run, "woke too late, on average"));
        ck_assert_int_eq(sum_of(run, "woken in 5 ms"), sleepers);
        json_decref(run);
    }
    if (run_slowed())
        return;
    ck_assert_int_eq(sleepers, 10000);
    ck_assert(together);
    ck_assert_int_le(others, HARDLY);
}
END_TEST

/* Pages of stacks that were used before by something deeper may be there, too. */
START_TEST(a_sleeper_has_a_page_or_two_of_its_stack_in_memory)
{
    const int64_t page = sysconf(_SC_PAGESIZE);
    if (in_threads_mode() || run_slowed())
        return;
    json_t *run = run_of("ten-thousand-sleepers");
    const int64_t each = figure(run, "stack of each, in memory"), all = each * figure(run, "sleepers") / 1024;
    ck_assert_int_ge(each, page);
    ck_assert_int_le(each, 2 * page);
    ck_assert_int_ge(figure(run, "while all sleep"), all);
    json_decref(run);
}
END_TEST

Suite *sleepers_suite(void)
{
    Suite *s = suite_create("sleepers");
    TCase *t = recorded_theme(s, false);
    tcase_add_test(t, a_hundred_tasks_and_a_hundred_threads_sleep_at_the_same_time);
    tcase_add_test(t, what_either_takes_is_measured);
    tcase_add_test(t, ten_thousand_sleep_at_once_and_others_hardly_notice);
    tcase_add_test(t, a_sleeper_has_a_page_or_two_of_its_stack_in_memory);
    return s;
}
