/* test_process_pool_threads.c - worker processes that blocking threads lend to each other, and what they do to them. */
#include "process_jobs.h"
#include "server/base/blocking_wait.h"
#include "server/executor/process/process.h"
#include "server/executor/process/process_pool.h"
#include "server/async/task.h"
#include "server/base/log.h"
#include "server/base/overload/refusal.h"
#include "tests/unit/suites.h"
#include "tests/support/support.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static process_pool_options options = { .workers = 1, .waiting = 2, .jobs = 1000, .memory = 64 << 20, .timeout_ms = 60000 };

static struct asker {                        /* a thread with a client, which asks for one job */
    pthread_t          thread;
    const process_job *job;
    uint64_t           ms;
    int                ends[2];              /* the client's socket, and its other end */
    arena              arena;
    text               out;
    int                err;
} askers[8];

static void setup(void)
{
    log_set_level(LOG_ERROR);                /* of the deaths below */
    process_pool_configure(&options);
}

static void *ask(void *arg)
{
    struct asker *a = arg;
    blocking_follow(a->ends[0], 0);
    a->err = await(in_process(a->job, TEXT("asked"), a->ms, &a->arena, &a->out));
    return NULL;
}

static struct asker *start(int i, const process_job *job, uint64_t ms)
{
    struct asker *a = &askers[i];
    arena_done(&a->arena);
    *a = (struct asker){ .job = job, .ms = ms };
    arena_init(&a->arena, NULL, 0);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, a->ends), 0);
    ck_assert_int_eq(pthread_create(&a->thread, NULL, ask, a), 0);
    return a;
}

static int outcome(struct asker *a)
{
    pthread_join(a->thread, NULL);
    for (int i = 0; i < 2; i++)
        if (a->ends[i] >= 0)
            close(a->ends[i]);
    return a->err;
}

static void leave(struct asker *a)           /* its client does */
{
    close(a->ends[1]);
    a->ends[1] = -1;
}

static int run(const process_job *job, uint64_t ms) { return outcome(start(0, job, ms)); }

static pid_t worker_pid(void)
{
    ck_assert_int_eq(run(&TEST_PID, 0), 0);
    return *(const pid_t *)askers[0].out.at;
}

static void close_all(void)
{
    process_pool_end();
    ck_assert_int_eq(process_pool_count().workers, 0);
    ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
    ck_assert_int_eq(errno, ECHILD);
    for (int i = 0; i < 8; i++)
        arena_done(&askers[i].arena);
}

START_TEST(a_job_runs_in_another_process_and_a_thread_waits_for_it)
{
    ck_assert_int_eq(run(&TEST_ECHO, 0), 0);
    ck_assert(text_equal(askers[0].out, TEXT("asked")));
    ck_assert_int_eq(run(&TEST_FAIL, 0), UV_EIO);
    ck_assert_int_eq(process_pool_count().started, 1);
    close_all();
}
END_TEST

START_TEST(whatever_a_worker_dies_of_the_next_is_there)
{
    static const process_job *const deaths[] = { &TEST_CRASH, &TEST_EXIT, &TEST_LEAK, &TEST_GARBAGE, &TEST_HUGE };
    for (int i = 0; i < 5; i++) {
        const pid_t before = worker_pid();
        ck_assert_int_eq(run(deaths[i], 0), PROCESS_EDIED);
        ck_assert_int_ne(worker_pid(), before);
    }
    ck_assert_uint_eq(process_pool_count().died, 5);
    const pid_t idle = worker_pid();
    kill(idle, SIGKILL);
    ck_assert_int_eq(waitid(P_PID, (id_t)idle, &(siginfo_t){ 0 }, WEXITED | WNOWAIT), 0);
    ck_assert_int_ne(worker_pid(), idle);
    close_all();
}
END_TEST

START_TEST(one_that_spins_is_killed_at_its_limit_or_when_its_client_leaves)
{
    const pid_t before = worker_pid();
    ck_assert_int_eq(run(&TEST_SPIN, 5), UV_ETIMEDOUT);
    const pid_t after = worker_pid();
    ck_assert_int_ne(after, before);
    struct asker *a = start(1, &TEST_SPIN, 0);
    while (process_pool_count().running == 0)
        sched_yield();
    leave(a);
    ck_assert_int_eq(outcome(a), UV_ECANCELED);
    ck_assert_int_ne(worker_pid(), after);
    ck_assert_uint_eq(process_pool_count().killed, 2);
    close_all();
}
END_TEST

START_TEST(a_full_line_refuses_and_those_in_line_get_their_turn)
{
    worker_pid();
    struct asker *spins = start(1, &TEST_SPIN, 0);
    while (process_pool_count().running == 0)
        sched_yield();
    struct asker *late = start(2, &TEST_ECHO, 5);
    ck_assert_int_eq(outcome(late), UV_ETIMEDOUT);
    for (int i = 3; i < 5; i++) {
        start(i, &TEST_ECHO, 0);
        while (process_pool_count().waiting < i - 2)
            sched_yield();
    }
    while (run(&TEST_ECHO, 1) != REFUSED(REFUSED_PROCESSES_LINE))  /* they are counted before they wait */
        sched_yield();
    leave(spins);
    ck_assert_int_eq(outcome(spins), UV_ECANCELED);
    ck_assert_int_eq(outcome(&askers[3]), 0);
    ck_assert_int_eq(outcome(&askers[4]), 0);
    ck_assert_int_eq(process_pool_count().waiting, 0);
    ck_assert_int_eq(process_pool_count().running, 0);
    close_all();
}
END_TEST

START_TEST(threads_side_by_side_have_a_worker_each_and_each_does_its_number_of_jobs)
{
    options.workers = 3;
    options.jobs = 2;
    process_pool_configure(&options);
    struct asker *one = start(1, &TEST_SPIN, 0), *two = start(2, &TEST_SPIN, 0);
    while (process_pool_count().running < 2)
        sched_yield();
    const pid_t first = worker_pid();
    ck_assert_int_eq(worker_pid(), first);
    ck_assert_int_ne(worker_pid(), first);
    leave(one);
    leave(two);
    ck_assert_int_eq(outcome(one), UV_ECANCELED);
    ck_assert_int_eq(outcome(two), UV_ECANCELED);
    close_all();
}
END_TEST

START_TEST(threads_have_as_many_workers_together_as_so_many_loops)
{
    options.loops = 3;
    process_pool_configure(&options);
    struct asker *one = start(1, &TEST_SPIN, 0), *two = start(2, &TEST_SPIN, 0);
    while (process_pool_count().running < 2)
        sched_yield();
    worker_pid();
    ck_assert_int_eq(process_pool_count().workers, 3);
    leave(one);
    leave(two);
    ck_assert_int_eq(outcome(one), UV_ECANCELED);
    ck_assert_int_eq(outcome(two), UV_ECANCELED);
    close_all();
}
END_TEST

static int run_here(void)                    /* on behalf of no client */
{
    struct asker a = { .err = 0 };
    arena_init(&a.arena, NULL, 0);
    blocking_follow(-1, 0);
    a.err = await(in_process(&TEST_ECHO, TEXT(""), 0, &a.arena, &a.out));
    arena_done(&a.arena);
    return a.err;
}

/* Runs twice within the rest that is due after a start that failed, however slow the machine is: it gets longer with
 * each. Nothing may have been tried the second time. */
static void expect_rest(void)
{
    for (unsigned failures = 1;; failures++) {
        const uint64_t rest = process_rest_ms(failures) * 1000000, begun = uv_hrtime();
        ck_assert_int_eq(run_here(), UV_EAGAIN);
        const uint64_t started = process_pool_count().started;
        ck_assert_int_eq(run_here(), UV_EAGAIN);
        if (uv_hrtime() - begun < rest) {
            ck_assert_uint_eq(process_pool_count().started, started);
            clock_skip(PROCESS_LONGEST_REST);
            return;
        }
        clock_skip(PROCESS_LONGEST_REST);
    }
}

START_TEST(after_a_start_that_failed_a_slot_rests_and_the_next_failure_counts_anew)
{
    process_jobs_prevent();
    expect_rest();
    process_jobs_allow();
    ck_assert_int_eq(run_here(), 0);
    const pid_t idle = worker_pid();
    kill(idle, SIGKILL);
    ck_assert_int_eq(waitid(P_PID, (id_t)idle, &(siginfo_t){ 0 }, WEXITED | WNOWAIT), 0);
    process_jobs_prevent();
    ck_assert_int_eq(run_here(), UV_EAGAIN);
    process_jobs_allow();
    clock_skip(process_rest_ms(1));
    ck_assert_int_eq(run_here(), 0);
    close_all();
}
END_TEST

START_TEST(a_slot_whose_worker_has_no_descriptors_rests_as_well)
{
    struct rlimit before;
    const int next = dup(0);                 /* the lowest that is free */
    close(next);
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &(struct rlimit){ (rlim_t)next, before.rlim_max }), 0);
    const uint64_t begun = uv_hrtime();
    ck_assert_int_eq(run_here(), UV_EAGAIN);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
    const int err = run_here();
    ck_assert(err == UV_EAGAIN || uv_hrtime() - begun >= process_rest_ms(1) * 1000000);
    clock_skip(process_rest_ms(1));
    ck_assert_int_eq(run_here(), 0);
    close_all();
}
END_TEST

START_TEST(while_none_can_start_threads_are_refused)
{
    process_jobs_prevent();
    ck_assert_int_eq(run(&TEST_ECHO, 0), UV_EAGAIN);
    ck_assert_int_eq(run(&TEST_ECHO, 0), UV_EAGAIN);
    ck_assert_int_eq(process_pool_count().workers, 0);
    process_jobs_allow();
    int err;
    while ((err = run(&TEST_ECHO, 0)) == UV_EAGAIN)          /* for the rest of a tenth of a second */
        ck_assert_int_eq(blocking_wait(-1, 0, deadline_in(2)), UV_ETIMEDOUT);
    ck_assert_int_eq(err, 0);
    close_all();
}
END_TEST

Suite *process_pool_threads_suite(void)
{
    Suite *s = suite_create("process_pool_threads");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_test(t, a_job_runs_in_another_process_and_a_thread_waits_for_it);
    tcase_add_test(t, whatever_a_worker_dies_of_the_next_is_there);
    tcase_add_test(t, one_that_spins_is_killed_at_its_limit_or_when_its_client_leaves);
    tcase_add_test(t, a_full_line_refuses_and_those_in_line_get_their_turn);
    tcase_add_test(t, threads_have_as_many_workers_together_as_so_many_loops);
    tcase_add_test(t, threads_side_by_side_have_a_worker_each_and_each_does_its_number_of_jobs);
    tcase_add_test(t, after_a_start_that_failed_a_slot_rests_and_the_next_failure_counts_anew);
    tcase_add_test(t, a_slot_whose_worker_has_no_descriptors_rests_as_well);
    tcase_add_test(t, while_none_can_start_threads_are_refused);
    suite_add_tcase(s, t);
    return s;
}
