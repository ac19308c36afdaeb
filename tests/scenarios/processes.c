/* processes.c - pages rendered in worker processes: the same pages; and what becomes of requests, of the server
 * and of the processes themselves when something goes wrong with them. */
#include "scenarios.h"

#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static const char PAGE[] = "/users/42?render=process";

/* A worker process of the server here; 0 if there is none. (What a thread's "children" has is not reliable while threads end.) */
static pid_t worker(void)
{
    glob_t all;
    int found = 0;
    if (glob("/proc/[0-9]*/stat", 0, NULL, &all))
        return 0;
    for (size_t i = 0; i < all.gl_pathc && !found; i++) {
        int pid, parent;
        FILE *f = fopen(all.gl_pathv[i], "r");               /* 4711 (its name) S 4242 ... */
        if (f && fscanf(f, "%d (%*[^)]) %*c %d", &pid, &parent) == 2 && parent == here.pid)
            found = pid;
        if (f)
            fclose(f);
    }
    globfree(&all);
    return found;
}

static bool is_gone(pid_t pid) { return kill(pid, 0) == -1; }

/* To start one may take longer than a request may: it is there for the next, then. */
static void one_worker(const char *setting)
{
    server_start("processes", "TENK_PROCESSES_POOL=1", setting, NULL);
    ck_assert_msg(eventually(20, get(PAGE).status == 200), "there is no worker");
    ck_assert_int_ne(worker(), 0);
}

static void shared(void) { server_start("processes-shared", "TENK_PROCESSES_POOL=1", "TENK_PROCESSES_LINE=1", NULL); }

static pid_t worker_of_shared(void)
{
    expect(get(PAGE), 200, "text/html");
    return worker();
}

static int stat(const char *key)             /* a number of /stats' processes */
{
    char quoted[64];
    snprintf(quoted, sizeof quoted, "\"%s\":", key);
    const answer a = get("/stats");
    const char *at = strstr(a.body, "\"processes\":{");
    at = at ? strstr(at, quoted) : NULL;
    ck_assert_msg(at != NULL, "no %s in %s", key, a.body);
    return atoi(at + strlen(quoted));
}

START_TEST(a_page_is_the_same_wherever_it_is_rendered)
{
    static const char *const paths[] = { "/users/42", "/users/42/promises", "/users/42/callbacks", "/users/42/sequential" };
    char path[128];
    const int before = stat("done");
    for (int i = 0; i < 4; i++) {
        const answer plain = get(paths[i]);
        expect(plain, 200, "text/html");
        char *body = strdup(plain.body);
        const size_t length = plain.length;
        snprintf(path, sizeof path, "%s?render=process", paths[i]);
        const answer a = get(path);
        expect(a, 200, "text/html");
        ck_assert(header_has(&a, "Server-Timing", "render;dur="));
        ck_assert_uint_eq(a.length, length);
        ck_assert(memcmp(a.body, body, length) == 0);
        free(body);
    }
    expect(get_as(PAGE, "application/json"), 200, "application/json");
    expect_problem(get_as("/users/0?render=process", "application/json"), 404);
    const answer wrong = get_as("/users/42?render=nowhere", "application/json");
    expect_problem(wrong, 400);
    expect_body(wrong, "?render=process");
    ck_assert_int_eq(stat("done"), before + 4);
}
END_TEST

START_TEST(without_need_there_are_no_processes)
{
    server_start("processes", NULL);
    expect(get("/users/42"), 200, "text/html");
    ck_assert_int_eq(worker(), 0);
    ck_assert_int_eq(stat("started"), 0);
    server_stop();
}
END_TEST

/* One that is stopped does as one that computes for ever. */
START_TEST(a_rendering_that_never_ends_is_504_and_the_next_one_is_well)
{
    one_worker(run_slowed() ? "TENK_PROCESSES_TIMEOUT=3s" : "TENK_PROCESSES_TIMEOUT=100ms");
    const pid_t stuck = worker();
    const int before = stat("killed");
    kill(stuck, SIGSTOP);
    client *c = client_asking(PAGE);
    ck_assert(eventually(20, stat("running") == 1 || stat("killed") > before));
    expect(get("/users/42"), 200, "text/html");              /* nobody else notices */
    expect_problem(client_answer(c), 504);
    ck_assert_int_eq(stat("killed"), before + 1);
    ck_assert_msg(eventually(20, get(PAGE).status == 200), "there is no other worker");
    ck_assert_int_ne(worker(), stuck);
    ck_assert(is_gone(stuck));
    client_free(c);
    server_stop();
}
END_TEST

/* Where the machine is busy its time may be over before a process is asked. */
static bool late_page_kills_more_than(int before)
{
    expect_problem(get(PAGE), 504);
    return stat("killed") > before;
}

START_TEST(the_deadline_of_the_request_counts_too)
{
    one_worker(run_slowed() ? "TENK_TIMEOUTS_REQUEST=3s" : "TENK_TIMEOUTS_REQUEST=200ms");
    const int before = stat("killed");
    kill(worker(), SIGSTOP);
    ck_assert(eventually(20, late_page_kills_more_than(before)));
    ck_assert_int_eq(stat("killed"), before + 1);
    ck_assert_msg(eventually(20, get(PAGE).status == 200), "there is no other worker");
    server_stop();
}
END_TEST

START_TEST(a_rendering_that_dies_is_500_and_the_next_one_is_well)
{
    const pid_t doomed = worker_of_shared();
    const int before = stat("died");
    kill(doomed, SIGSTOP);
    client *c = client_asking(PAGE);
    ck_assert(eventually(20, stat("running") == 1));
    kill(doomed, SIGKILL);
    expect_problem(client_answer(c), 500);
    expect(get(PAGE), 200, "text/html");
    ck_assert_int_ne(worker(), doomed);
    ck_assert(server_says("while it did page"));
    ck_assert_int_eq(stat("died"), before + 1);
    client_free(c);
}
END_TEST

START_TEST(a_client_that_leaves_ends_its_rendering)
{
    const pid_t stuck = worker_of_shared();
    kill(stuck, SIGSTOP);
    client *c = client_asking(PAGE);
    ck_assert(eventually(20, stat("running") == 1));
    client_reset(c);
    ck_assert_msg(eventually(20, is_gone(stuck)), "it goes on");
    expect(get(PAGE), 200, "text/html");
}
END_TEST

START_TEST(more_than_may_wait_are_503)
{
    const int before = stat("refused");
    kill(worker_of_shared(), SIGSTOP);
    client *first = client_asking(PAGE);
    ck_assert(eventually(20, stat("running") == 1));
    client *second = client_asking("/users/43?render=process");
    ck_assert(eventually(20, stat("waiting") == 1));
    const answer a = get(PAGE);
    expect_problem(a, 503);
    ck_assert(header_is(&a, "Retry-After", "1"));
    kill(worker(), SIGCONT);
    ck_assert_int_eq(client_answer(first).status, 200);
    ck_assert_int_eq(client_answer(second).status, 200);
    ck_assert_int_eq(stat("refused"), before + 1);
    client_free(first);
    client_free(second);
}
END_TEST

START_TEST(a_process_is_replaced_after_its_number_of_jobs)
{
    server_start("processes", "TENK_PROCESSES_POOL=1", "TENK_PROCESSES_JOBS=2", NULL);
    for (int i = 0; i < 5; i++)
        expect(get(PAGE), 200, "text/html");
    ck_assert_int_ge(stat("started"), 3);
    ck_assert_int_eq(stat("died"), 0);
    server_stop();
}
END_TEST

START_TEST(stopping_ends_the_processes_even_one_that_is_stuck)
{
    one_worker(NULL);
    const pid_t stuck = worker();
    kill(stuck, SIGSTOP);
    server_stop();
    ck_assert(is_gone(stuck));
}
END_TEST

START_TEST(killing_the_server_ends_its_processes)
{
    prctl(PR_SET_CHILD_SUBREAPER, 1);        /* nobody else might wait for them */
    signal(SIGCHLD, SIG_DFL);
    one_worker(NULL);
    const pid_t left = worker();
    server_kill();
    ck_assert_msg(eventually(20, is_gone(left) || waitpid(left, NULL, WNOHANG) == left), "a process is left behind");
}
END_TEST

START_TEST(what_is_sent_to_the_terminals_group_is_the_servers_to_decide)
{
    const pid_t w = worker_of_shared();
    kill(w, SIGINT);
    expect(get(PAGE), 200, "text/html");
    ck_assert_int_eq(worker(), w);
}
END_TEST

Suite *processes_suite(void)
{
    Suite *s = suite_create("processes");
    TCase *t = theme(s, "processes", NULL), *on_shared = theme(s, "processes-shared", shared);
    tcase_add_test(on_shared, a_page_is_the_same_wherever_it_is_rendered);
    tcase_add_test(t, without_need_there_are_no_processes);
    tcase_add_test(t, a_rendering_that_never_ends_is_504_and_the_next_one_is_well);
    tcase_add_test(t, the_deadline_of_the_request_counts_too);
    tcase_add_test(on_shared, a_rendering_that_dies_is_500_and_the_next_one_is_well);
    tcase_add_test(on_shared, a_client_that_leaves_ends_its_rendering);
    tcase_add_test(on_shared, more_than_may_wait_are_503);
    tcase_add_test(t, a_process_is_replaced_after_its_number_of_jobs);
    tcase_add_test(t, stopping_ends_the_processes_even_one_that_is_stuck);
    tcase_add_test(t, killing_the_server_ends_its_processes);
    tcase_add_test(on_shared, what_is_sent_to_the_terminals_group_is_the_servers_to_decide);
    suite_add_tcase(s, t);
    return s;
}
