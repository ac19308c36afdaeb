/* test_processes.c - worker processes: their jobs, their deaths, and who notices; on a loop. */
#include "process_jobs.h"
#include "server/async/loop.h"
#include "server/async/processes_pool.h"
#include "server/async/timer.h"
#include "server/log.h"
#include "server/memory.h"
#include "suites.h"
#include "support.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static arena a;
static processes_options options = { .workers = 1, .line = 4, .jobs = 1000, .memory = 64 << 20, .timeout_ms = 60000 };

static void setup(void)
{
    log_set_level(LOG_ERROR);                /* of the deaths below */
    ck_assert_int_eq(loop_start(), 0);
    arena_init(&a, NULL, 0);
    processes_configure(&options);
}

static void close_all(void)
{
    ck_assert_int_eq(outcome_of(processes_close()), 0);
    timer_end();
    ck_assert_int_eq(loop_done(), 0);
    ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);        /* no zombie, no orphan */
    ck_assert_int_eq(errno, ECHILD);
    arena_done(&a);
}

static text out;

static int run(const process_job *job, text in) { return outcome_of(in_process(job, in, 0, &a, &out)); }

static pid_t worker_pid(void)
{
    ck_assert_int_eq(run(&TEST_PID, TEXT("")), 0);
    return *(const pid_t *)out.at;
}

START_TEST(a_job_runs_in_another_process_and_its_output_comes_back)
{
    ck_assert_int_eq(run(&TEST_ECHO, TEXT("hello")), 0);
    ck_assert(text_equal(out, TEXT("hello")));
    ck_assert_int_eq(run(&TEST_ECHO, TEXT("")), 0);
    ck_assert_uint_eq(out.length, 0);
    ck_assert_int_ne(worker_pid(), getpid());
    close_all();
}
END_TEST

START_TEST(what_a_job_returns_is_the_outcome_and_its_output_is_dropped)
{
    out = TEXT("before");
    ck_assert_int_eq(run(&TEST_FAIL, TEXT("")), UV_EIO);
    ck_assert(text_equal(out, TEXT("before")));
    ck_assert_int_eq(run(&TEST_ECHO, TEXT("on")), 0);
    close_all();
}
END_TEST

START_TEST(more_than_the_socket_holds_goes_through_both_ways)
{
    enum { MANY = 10000000 };
    char *in = arena_alloc(&a, MANY);
    for (int i = 0; i < MANY; i++)
        in[i] = (char)(i * 7 + (i >> 8));
    ck_assert_int_eq(run(&TEST_ECHO, (text){ in, MANY }), 0);
    ck_assert(text_equal(out, (text){ in, MANY }));
    close_all();
}
END_TEST

START_TEST(too_much_is_refused_both_ways)
{
    ck_assert_int_eq(run(&TEST_ECHO, (text){ "", PROCESS_LARGEST + 1 }), UV_EMSGSIZE);
    if (!mem_each_its_own) {
        options.memory = 1 << 30;
        processes_configure(&options);
        ck_assert_int_eq(run(&TEST_TOO_MUCH, TEXT("")), UV_EMSGSIZE);
        ck_assert_int_eq(run(&TEST_ECHO, TEXT("on")), 0);
    }
    close_all();
}
END_TEST

START_TEST(a_worker_that_crashes_fails_its_job_and_is_replaced)
{
    static const process_job *const deaths[] = { &TEST_CRASH, &TEST_ABORT, &TEST_EXIT };
    for (int i = 0; i < 3; i++) {
        const pid_t before = worker_pid();
        ck_assert_int_eq(run(deaths[i], TEXT("")), PROCESS_EDIED);
        ck_assert_int_ne(worker_pid(), before);
    }
    ck_assert_uint_eq(processes_count().died, 3);
    ck_assert_uint_eq(processes_count().started, 4);
    close_all();
}
END_TEST

START_TEST(one_that_spins_is_killed_at_its_limit_and_replaced)
{
    const pid_t before = worker_pid();
    ck_assert_int_eq(outcome_of(in_process(&TEST_SPIN, TEXT(""), 5, &a, &out)), UV_ETIMEDOUT);
    ck_assert_int_ne(worker_pid(), before);
    ck_assert_int_eq(kill(before, 0), -1);
    ck_assert_uint_eq(processes_count().killed, 1);
    close_all();
}
END_TEST

START_TEST(cancelled_while_it_runs_a_job_is_killed)
{
    int err = 1;
    const pid_t before = worker_pid();
    promise *p = in_process(&TEST_SPIN, TEXT(""), 0, &a, &out);
    when_settled(p, store, &err);
    uv_run(loop_here(), UV_RUN_NOWAIT);
    ck_assert_int_eq(processes_count().running, 1);
    promise_cancel(p);
    loop_run();
    ck_assert_int_eq(err, UV_ECANCELED);
    ck_assert_int_ne(worker_pid(), before);
    close_all();
}
END_TEST

static int errs[8];

static promise *start(int i, const process_job *job, uint64_t ms)
{
    promise *p = in_process(job, TEXT(""), ms, &a, &out);
    errs[i] = 1;
    when_settled(p, store, &errs[i]);
    return p;
}

static void turn_until_settled(int i)
{
    while (errs[i] == 1)
        uv_run(loop_here(), UV_RUN_ONCE);
}

/* A loop on which nothing is going on does not look at its workers. */
static void turn_until(_Atomic uint64_t *count, uint64_t is)
{
    uv_async_t something;
    uv_async_init(loop_here(), &something, NULL);
    while (*count < is)
        uv_run(loop_here(), UV_RUN_ONCE);
    uv_close((uv_handle_t *)&something, NULL);
    loop_run();
}

START_TEST(cancelled_in_line_a_job_never_runs)
{
    worker_pid();
    promise *spins = start(0, &TEST_SPIN, 0), *waits = start(1, &TEST_EXIT, 0);
    ck_assert_int_eq(processes_count().waiting, 1);
    promise_cancel(waits);
    promise_cancel(spins);
    loop_run();
    ck_assert_int_eq(errs[0], UV_ECANCELED);
    ck_assert_int_eq(errs[1], UV_ECANCELED);
    ck_assert_uint_eq(processes_count().died, 0);
    ck_assert_int_eq(processes_count().waiting, 0);
    close_all();
}
END_TEST

START_TEST(a_full_line_refuses_and_who_waits_there_too_long_leaves)
{
    worker_pid();
    promise *spins = start(0, &TEST_SPIN, 0);
    for (int i = 1; i < 6; i++)
        start(i, &TEST_ECHO, i == 1 ? 2 : 0);
    loop_run_ready();
    ck_assert_int_eq(errs[5], UV_EAGAIN);
    ck_assert_uint_eq(processes_count().refused, 1);
    turn_until_settled(1);
    ck_assert_int_eq(errs[1], UV_ETIMEDOUT);
    ck_assert_int_eq(errs[2], 1);
    promise_cancel(spins);
    loop_run();
    for (int i = 2; i < 5; i++)
        ck_assert_int_eq(errs[i], 0);
    close_all();
}
END_TEST

START_TEST(side_by_side_there_are_as_many_as_needed_and_no_more)
{
    options.workers = 3;
    processes_configure(&options);
    worker_pid();
    ck_assert_int_eq(processes_count().workers, 1);
    promise *one = start(0, &TEST_SPIN, 0), *two = start(1, &TEST_SPIN, 0);
    start(2, &TEST_ECHO, 0);
    turn_until_settled(2);
    ck_assert_int_eq(errs[2], 0);
    ck_assert_int_eq(processes_count().workers, 3);
    ck_assert_int_eq(errs[0], 1);
    ck_assert_int_eq(errs[1], 1);
    promise_cancel(one);
    promise_cancel(two);
    loop_run();
    close_all();
}
END_TEST

START_TEST(one_that_leaks_hits_its_bound_and_the_next_has_room)
{
    ck_assert_int_eq(run(&TEST_LEAK, TEXT("")), PROCESS_EDIED);
    ck_assert_int_eq(run(&TEST_TAKE, TEXT("")), 0);          /* half of the bound is no leak */
    close_all();
}
END_TEST

START_TEST(one_that_writes_nonsense_is_killed)
{
    static const process_job *const nonsense[] = { &TEST_GARBAGE, &TEST_HUGE, &TEST_POSITIVE };
    for (int i = 0; i < 3; i++) {
        const pid_t before = worker_pid();
        ck_assert_int_eq(run(nonsense[i], TEXT("")), PROCESS_EDIED);
        ck_assert_int_ne(worker_pid(), before);
    }
    close_all();
}
END_TEST

START_TEST(one_that_says_more_than_its_answer_is_killed)
{
    const pid_t before = worker_pid();
    int err = run(&TEST_CHATTY, TEXT(""));   /* whether that is seen with the answer or after it */
    ck_assert(err == 0 || err == PROCESS_EDIED);
    turn_until(&processes_tally.died, 1);
    ck_assert_int_ne(worker_pid(), before);
    close_all();
}
END_TEST

START_TEST(after_so_many_jobs_another_takes_its_place)
{
    options.jobs = 3;
    processes_configure(&options);
    const pid_t first = worker_pid();
    ck_assert_int_eq(worker_pid(), first);
    ck_assert_int_eq(worker_pid(), first);
    ck_assert_int_ne(worker_pid(), first);
    ck_assert_uint_eq(processes_count().died, 0);
    close_all();
}
END_TEST

START_TEST(no_job_is_given_to_one_that_has_just_died)
{
    const pid_t before = worker_pid();
    kill(before, SIGKILL);
    ck_assert_int_eq(waitid(P_PID, (id_t)before, &(siginfo_t){ 0 }, WEXITED | WNOWAIT), 0);
    ck_assert_int_ne(worker_pid(), before);
    ck_assert_uint_eq(processes_count().died, 1);
    close_all();
}
END_TEST

START_TEST(one_that_dies_with_nothing_to_do_is_replaced_at_once)
{
    const pid_t before = worker_pid();
    kill(before, SIGKILL);
    turn_until(&processes_tally.started, 2);
    ck_assert_int_ne(worker_pid(), before);
    close_all();
}
END_TEST

START_TEST(while_none_can_start_jobs_are_refused_and_then_they_are_done)
{
    process_jobs_prevent();
    for (int i = 0; i < 2; i++) {
        start(i, &TEST_ECHO, 0);
        uv_run(loop_here(), UV_RUN_NOWAIT);
    }
    for (int i = 0; i < 2; i++) {
        turn_until_settled(i);
        ck_assert_int_eq(errs[i], UV_EAGAIN);
    }
    start(2, &TEST_ECHO, 0);                 /* it rests: at once */
    ck_assert_uint_eq(processes_count().refused, 3);
    process_jobs_allow();
    clock_skip(WORKER_LONGEST_REST);
    for (errs[3] = UV_EAGAIN; errs[3] == UV_EAGAIN;) {
        start(3, &TEST_ECHO, 0);
        turn_until_settled(3);
    }
    ck_assert_int_eq(errs[3], 0);
    ck_assert_uint_ge(processes_count().died, 1);
    close_all();
}
END_TEST

START_TEST(starts_that_fail_are_ever_longer_apart)
{
    ck_assert_uint_eq(worker_rest(1), 100);
    ck_assert_uint_eq(worker_rest(2), 200);
    ck_assert_uint_eq(worker_rest(5), 1600);
    ck_assert_uint_eq(worker_rest(1000000), 10000);
}
END_TEST

START_TEST(closing_ends_all_whatever_they_do)
{
    options.workers = 2;
    processes_configure(&options);
    worker_pid();
    start(0, &TEST_SPIN, 0);
    start(1, &TEST_SPIN, 0);
    start(2, &TEST_ECHO, 0);
    ck_assert_int_eq(outcome_of(processes_close()), 0);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(errs[i], UV_ECANCELED);
    ck_assert_int_eq(processes_count().workers, 0);
    close_all();
}
END_TEST

START_TEST(a_worker_has_nothing_of_its_parents)
{
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);         /* inherited by all who do not take care */
    setenv("SECRET", "password", 1);
    ck_assert_int_eq(run(&TEST_POSSESSIONS, TEXT("")), 0);
    ck_assert_msg(text_equal(out, TEXT("descriptors 0-3, SIGTERM default, SIGINT ignored, no secret")), "%.*s",
                  (int)out.length, out.at);
    close(ends[0]);
    close(ends[1]);
    close_all();
}
END_TEST

static unsigned long ticks(pid_t pid)        /* that it has computed */
{
    char path[64];
    unsigned long n = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *f = fopen(path, "r");
    if (!f || fscanf(f, "%*d %*s %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu", &n) != 1)
        n = 0;
    if (f)
        fclose(f);
    return n;
}

/* In a process of its own, which is killed: it says whom it leaves behind. */
static void be_a_parent(int tell, const process_job *job)
{
    const pid_t worker = worker_pid();
    if (job)
        start(0, job, 0);
    const unsigned long before = ticks(worker);
    do
        uv_run(loop_here(), UV_RUN_NOWAIT);
    while (job && ticks(worker) < before + 2);               /* it is at it */
    if (write(tell, &worker, sizeof worker) > 0)
        pause();
}

/* Returns how the worker that it leaves behind ends. */
static int parent_dies(const process_job *job)
{
    int status = 0;
    int tell[2];
    pid_t worker;
    prctl(PR_SET_CHILD_SUBREAPER, 1);        /* so that it is ours to wait for */
    ck_assert_int_eq(pipe(tell), 0);
    const pid_t parent = fork();
    if (parent == 0) {
        setup();
        be_a_parent(tell[1], job);
        _exit(0);
    }
    ck_assert_int_eq(read(tell[0], &worker, sizeof worker), sizeof worker);
    kill(parent, SIGKILL);
    waitpid(parent, NULL, 0);
    ck_assert_int_eq(waitpid(worker, &status, 0), worker);   /* the test's time limit is this one's */
    return status;
}

START_TEST(when_the_parent_dies_a_worker_without_a_job_ends)
{
    const int status = parent_dies(NULL);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
END_TEST

START_TEST(when_the_parent_dies_a_worker_in_the_middle_of_a_job_ends)
{
    const int status = parent_dies(&TEST_SPIN);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}
END_TEST

Suite *processes_suite(void)
{
    Suite *s = suite_create("processes");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_set_timeout(t, 10);
    tcase_add_test(t, a_job_runs_in_another_process_and_its_output_comes_back);
    tcase_add_test(t, what_a_job_returns_is_the_outcome_and_its_output_is_dropped);
    tcase_add_test(t, more_than_the_socket_holds_goes_through_both_ways);
    tcase_add_test(t, too_much_is_refused_both_ways);
    tcase_add_test(t, a_worker_that_crashes_fails_its_job_and_is_replaced);
    tcase_add_test(t, one_that_spins_is_killed_at_its_limit_and_replaced);
    tcase_add_test(t, cancelled_while_it_runs_a_job_is_killed);
    tcase_add_test(t, cancelled_in_line_a_job_never_runs);
    tcase_add_test(t, a_full_line_refuses_and_who_waits_there_too_long_leaves);
    tcase_add_test(t, side_by_side_there_are_as_many_as_needed_and_no_more);
    tcase_add_test(t, one_that_leaks_hits_its_bound_and_the_next_has_room);
    tcase_add_test(t, one_that_writes_nonsense_is_killed);
    tcase_add_test(t, one_that_says_more_than_its_answer_is_killed);
    tcase_add_test(t, after_so_many_jobs_another_takes_its_place);
    tcase_add_test(t, no_job_is_given_to_one_that_has_just_died);
    tcase_add_test(t, one_that_dies_with_nothing_to_do_is_replaced_at_once);
    tcase_add_test(t, while_none_can_start_jobs_are_refused_and_then_they_are_done);
    tcase_add_test(t, starts_that_fail_are_ever_longer_apart);
    tcase_add_test(t, closing_ends_all_whatever_they_do);
    tcase_add_test(t, a_worker_has_nothing_of_its_parents);
    suite_add_tcase(s, t);
    TCase *alone = tcase_create("alone");
    tcase_set_timeout(alone, 10);
    tcase_add_test(alone, when_the_parent_dies_a_worker_without_a_job_ends);
    tcase_add_test(alone, when_the_parent_dies_a_worker_in_the_middle_of_a_job_ends);
    suite_add_tcase(s, alone);
    return s;
}
