/* test_process_pool_faults.c - worker processes that die, leak, talk nonsense or cannot start, and who notices; and those
 * whose parent dies. */
#include "processing.h"
#include "server/async/loop.h"
#include "server/executor/process/process.h"
#include "server/executor/process/loop_pool_internal.h"
#include "tests/unit/suites.h"
#include "tests/support/failing_watch.h"
#include "tests/support/support.h"

#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

START_TEST(a_worker_that_crashes_fails_its_job_and_is_replaced)
{
    static const process_job *const deaths[] = { &TEST_CRASH, &TEST_ABORT, &TEST_EXIT };
    for (int i = 0; i < 3; i++) {
        const pid_t before = processing_worker();
        ck_assert_int_eq(processing_run(deaths[i], TEXT("")), PROCESS_EDIED);
        ck_assert_int_ne(processing_worker(), before);
    }
    ck_assert_uint_eq(process_pool_count().died, 3);
    ck_assert_uint_eq(process_pool_count().started, 4);
    ck_assert_int_eq(process_pool_count().running, 0);
    processing_stop();
}
END_TEST

START_TEST(one_that_leaks_hits_its_bound_and_the_next_has_room)
{
    ck_assert_int_eq(processing_run(&TEST_LEAK, TEXT("")), PROCESS_EDIED);
    ck_assert_int_eq(processing_run(&TEST_TAKE, TEXT("")), 0);          /* half of the bound is no leak */
    processing_stop();
}
END_TEST

START_TEST(one_that_writes_nonsense_is_killed)
{
    static const process_job *const nonsense[] = { &TEST_GARBAGE, &TEST_STRANGE, &TEST_LONG_ERROR, &TEST_HUGE, &TEST_POSITIVE };
    for (int i = 0; i < 5; i++) {
        const pid_t before = processing_worker();
        ck_assert_int_eq(processing_run(nonsense[i], TEXT("")), PROCESS_EDIED);
        ck_assert_int_ne(processing_worker(), before);
    }
    processing_stop();
}
END_TEST

START_TEST(one_that_says_more_than_its_answer_is_killed)
{
    const pid_t before = processing_worker();
    int err = processing_run(&TEST_CHATTY, TEXT(""));   /* whether that is seen with the answer or after it */
    ck_assert(err == 0 || err == PROCESS_EDIED);
    processing_until(&process_tally.died, 1);
    ck_assert_int_ne(processing_worker(), before);
    processing_stop();
}
END_TEST

START_TEST(no_job_is_given_to_one_that_has_just_died)
{
    const pid_t before = processing_worker();
    kill(before, SIGKILL);
    ck_assert_int_eq(waitid(P_PID, (id_t)before, &(siginfo_t){ 0 }, WEXITED | WNOWAIT), 0);
    ck_assert_int_ne(processing_worker(), before);
    ck_assert_uint_eq(process_pool_count().died, 1);
    processing_stop();
}
END_TEST

START_TEST(one_that_dies_with_nothing_to_do_is_replaced_at_once)
{
    const pid_t before = processing_worker();
    kill(before, SIGKILL);
    processing_until(&process_tally.started, 2);
    ck_assert_int_ne(processing_worker(), before);
    processing_stop();
}
END_TEST

/* One that has done nothing yet might die for ever: its slot rests, as after a start that failed. */
START_TEST(one_that_dies_before_its_first_job_is_not_replaced_at_once)
{
    processing_options.workers = 2;
    process_pool_configure(&processing_options);
    processing_worker();
    promise *spins = processing_start(0, &TEST_SPIN, 0), *more = processing_start(1, &TEST_ECHO, 0);
    promise_cancel(more);                    /* for which a second one is being started */
    while (loop_pool_count(SLOT_IDLE) == 0)
        uv_run(loop_here(), UV_RUN_ONCE);
    kill(loop_pool_find(SLOT_IDLE)->process.pid, SIGKILL);
    while (loop_pool_count(SLOT_RESTING) == 0 && process_pool_count().started == 2)
        uv_run(loop_here(), UV_RUN_ONCE);
    ck_assert_uint_eq(process_pool_count().started, 2);
    clock_skip(process_rest_ms(1));
    while (process_pool_count().started == 2)
        uv_run(loop_here(), UV_RUN_ONCE);
    promise_cancel(spins);
    loop_run();
    processing_stop();
}
END_TEST

START_TEST(without_descriptors_none_can_start_and_jobs_are_refused)
{
    struct rlimit before;
    processing_start(0, &TEST_ECHO, 0);      /* with which the pool of threads, and what they need, are there */
    loop_run();
    const pid_t idle = loop_pool_find(SLOT_IDLE)->process.pid;
    kill(idle, SIGKILL);
    ck_assert_int_eq(waitid(P_PID, (id_t)idle, &(siginfo_t){ 0 }, WEXITED | WNOWAIT), 0);
    const int next = dup(0);                 /* the lowest that is free */
    close(next);
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &(struct rlimit){ (rlim_t)next, before.rlim_max }), 0);
    processing_start(1, &TEST_ECHO, 0);
    processing_until_settled(1);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
    ck_assert_int_eq(processing_errs[1], UV_EAGAIN);
    processing_stop();
}
END_TEST

static int  spawn_error;
static bool spawn_silent;                    /* another program, which says nothing, and ends with its parent */

/* Stands before libc's. */
int posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions, const posix_spawnattr_t *attributes,
                char *const arguments[], char *const environment[])
{
    static char *const CAT[] = { "cat", NULL };
    const typeof(&posix_spawn) libc = (typeof(&posix_spawn))dlsym(RTLD_NEXT, "posix_spawn");
    if (spawn_error)
        return spawn_error;
    return libc(pid, spawn_silent ? "/bin/cat" : path, actions, attributes, spawn_silent ? CAT : arguments, environment);
}

START_TEST(one_that_does_not_say_hello_in_time_has_failed)
{
    spawn_silent = true;
    processing_start(0, &TEST_ECHO, 0);
    while (loop_pool_count(SLOT_STARTING) == 0)
        uv_run(loop_here(), UV_RUN_ONCE);
    clock_skip(WORKER_START + 1);
    processing_until_settled(0);
    ck_assert_int_eq(processing_errs[0], UV_EAGAIN);
    ck_assert_int_eq(process_pool_count().workers, 0);
    processing_stop();
}
END_TEST

static int lowest_free(void)
{
    const int fd = dup(0);
    close(fd);
    return fd;
}

START_TEST(of_one_that_cannot_start_nothing_is_left)
{
    process p;
    const int before = lowest_free();
    spawn_error = ENOMEM;
    ck_assert_int_eq(process_start(&p, 1 << 30), UV_ENOMEM);
    ck_assert_int_eq(lowest_free(), before);
    processing_stop();
}
END_TEST

START_TEST(one_that_the_loop_cannot_watch_is_ended)
{
    failing_watch = ENOSPC;                  /* the system's bound of what all its epolls watch */
    processing_start(0, &TEST_ECHO, 0);
    processing_until_settled(0);
    ck_assert_int_eq(processing_errs[0], UV_EAGAIN);
    ck_assert_uint_eq(process_pool_count().started, 1);
    ck_assert_int_eq(process_pool_count().workers, 0);
    failing_watch = 0;
    clock_skip(process_rest_ms(1));
    loop_run();
    ck_assert_int_eq(processing_run(&TEST_ECHO, TEXT("")), 0);
    processing_stop();
}
END_TEST

START_TEST(while_none_can_start_jobs_are_refused_and_then_they_are_done)
{
    processing_options.jobs = 1;
    process_pool_configure(&processing_options);
    process_jobs_prevent();
    for (int i = 0; i < 2; i++) {
        processing_start(i, &TEST_ECHO, 0);
        uv_run(loop_here(), UV_RUN_NOWAIT);
    }
    for (int i = 0; i < 2; i++) {
        processing_until_settled(i);
        ck_assert_int_eq(processing_errs[i], UV_EAGAIN);
    }
    processing_start(2, &TEST_ECHO, 0);                 /* it rests: at once */
    ck_assert_uint_eq(process_pool_count().refused, 3);
    process_jobs_allow();
    clock_skip(PROCESS_LONGEST_REST);
    for (processing_errs[3] = UV_EAGAIN; processing_errs[3] == UV_EAGAIN;) {
        processing_start(3, &TEST_ECHO, 0);
        processing_until_settled(3);
    }
    ck_assert_int_eq(processing_errs[3], 0);
    ck_assert_int_eq(processing_run(&TEST_ECHO, TEXT("")), 0);           /* all is forgotten: the next needs no rest */
    ck_assert_uint_ge(process_pool_count().died, 1);
    processing_stop();
}
END_TEST

START_TEST(starts_that_fail_are_ever_longer_apart)
{
    ck_assert_uint_eq(process_rest_ms(1), 100);
    ck_assert_uint_eq(process_rest_ms(2), 200);
    ck_assert_uint_eq(process_rest_ms(5), 1600);
    ck_assert_uint_eq(process_rest_ms(1000000), 10000);
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

static void works_on(pid_t worker)
{
    const unsigned long before = ticks(worker);
    siginfo_t end = { .si_pid = 0 };
    while (ticks(worker) < before + 2) {
        ck_assert_int_eq(waitid(P_PID, (id_t)worker, &end, WEXITED | WNOWAIT | WNOHANG), 0);
        ck_assert_int_eq(end.si_pid, 0);
    }
}

/* The kernel tells of a message when it has been given, and may be late: nothing that comes ends who works. */
START_TEST(one_that_hears_of_a_message_while_it_works_goes_on)
{
    const pid_t worker = processing_worker();
    promise *spins = processing_start(0, &TEST_SPIN, 0);
    while (loop_pool_count(SLOT_BUSY) == 0)
        uv_run(loop_here(), UV_RUN_ONCE);
    works_on(worker);
    ck_assert_int_eq(send(loop_pool_find(SLOT_BUSY)->process.fd, "", 1, MSG_NOSIGNAL), 1);
    works_on(worker);
    promise_cancel(spins);
    loop_run();
    ck_assert_uint_eq(process_pool_count().died, 0);
    processing_stop();
}
END_TEST

/* In a process of its own, which is killed: it says whom it leaves behind. */
static void be_a_parent(int tell, const process_job *job)
{
    const pid_t worker = processing_worker();
    if (job)
        processing_start(0, job, 0);
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
        processing_begin();
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
    const int status = parent_dies(NULL);    /* by itself, or for its lifeline */
    ck_assert(WIFEXITED(status) ? WEXITSTATUS(status) == 0 : WTERMSIG(status) == SIGKILL);
}
END_TEST

START_TEST(when_the_parent_dies_a_worker_in_the_middle_of_a_job_ends)
{
    const int status = parent_dies(&TEST_SPIN);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}
END_TEST

Suite *process_pool_faults_suite(void)
{
    Suite *s = suite_create("process_pool_faults");
    TCase *t = tcase_create("all"), *alone = tcase_create("alone");
    tcase_add_checked_fixture(t, processing_begin, NULL);
    tcase_add_test(t, a_worker_that_crashes_fails_its_job_and_is_replaced);
    tcase_add_test(t, one_that_leaks_hits_its_bound_and_the_next_has_room);
    tcase_add_test(t, one_that_writes_nonsense_is_killed);
    tcase_add_test(t, one_that_says_more_than_its_answer_is_killed);
    tcase_add_test(t, no_job_is_given_to_one_that_has_just_died);
    tcase_add_test(t, one_that_dies_with_nothing_to_do_is_replaced_at_once);
    tcase_add_test(t, one_that_dies_before_its_first_job_is_not_replaced_at_once);
    tcase_add_test(t, one_that_does_not_say_hello_in_time_has_failed);
    tcase_add_test(t, without_descriptors_none_can_start_and_jobs_are_refused);
    tcase_add_test(t, of_one_that_cannot_start_nothing_is_left);
    tcase_add_test(t, one_that_the_loop_cannot_watch_is_ended);
    tcase_add_test(t, while_none_can_start_jobs_are_refused_and_then_they_are_done);
    tcase_add_test(t, starts_that_fail_are_ever_longer_apart);
    tcase_add_test(t, one_that_hears_of_a_message_while_it_works_goes_on);
    tcase_add_test(alone, when_the_parent_dies_a_worker_without_a_job_ends);
    tcase_add_test(alone, when_the_parent_dies_a_worker_in_the_middle_of_a_job_ends);
    suite_add_tcase(s, t);
    suite_add_tcase(s, alone);
    return s;
}
