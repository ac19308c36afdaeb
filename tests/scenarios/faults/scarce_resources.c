/* scarce_resources.c - what the machine grants is little: it starts with words, or refuses with words; it never aborts. */
#include "tests/scenarios/scenarios.h"

#include "tests/scenarios/support/launch.h"
#include "tests/scenarios/support/run.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char out[16384];

static const char *mode(void) { return in_threads_mode() ? "--mode=threads" : "--mode=async"; }

/* Descriptors. */

START_TEST(with_few_descriptors_it_serves_several_clients)
{
    enum { FEW = 8 };
    client *c[FEW];
    next_limited(RLIMIT_NOFILE, 64);
    server_start("machine", NULL);
    for (int i = 0; i < FEW; i++) {
        c[i] = client_asking("/users/42");
        ck_assert_int_eq(client_answer(c[i]).status, 200);
    }
    for (int i = 0; i < FEW; i++)
        client_free(c[i]);
    server_stop();
}
END_TEST

START_TEST(with_too_few_descriptors_it_does_not_start_and_says_how_many_it_takes)
{
    for (int files = 16; files <= 40; files += 8) {     /* with fewer no shell runs that could start it */
        next_limited(RLIMIT_NOFILE, (rlim_t)files);
        const int code = tenk_run(out, sizeof out, mode(), "PORT=0", "WEB_CONCURRENCY=2", "DATABASE_URL=sqlite:few.db", NULL);
        ck_assert_msg(code == 1, "with %d files it ended with %d: %s", files, code, out);
        ck_assert_msg(strstr(out, "open files") != NULL, "with %d files: %s", files, out);
    }
}
END_TEST

/* Others come, and find the descriptors taken: it goes on with those that it has, and takes more when they leave. */
START_TEST(more_clients_than_descriptors_do_no_harm)
{
    enum { MANY = 100 };
    client *c[MANY];
    next_limited(RLIMIT_NOFILE, 64);
    server_start("machine", "TENK_LIMITS_CONNECTIONS=1000", NULL);
    client *old = client_asking("/json");
    ck_assert_int_eq(client_answer(old).status, 200);
    for (int i = 0; i < MANY; i++)
        c[i] = client_asking("/json");
    client_say(old, "GET /users/42 HTTP/1.1\r\nHost: t\r\n\r\n");
    const int status = client_answer(old).status;
    ck_assert_msg(status == 200 || status == 500 || status == 503, "%d", status);
    for (int i = 0; i < MANY; i++)
        client_free(c[i]);
    ck_assert(eventually(20, get("/users/42").status == 200));
    client_free(old);
    server_stop();
}
END_TEST

/* Standard files. */

START_TEST(without_standard_files_it_keeps_what_it_opens_apart_from_them)
{
    next_without(0);
    next_without(2);
    server_start("machine", NULL);           /* its start line on descriptor 1 tells where it is */
    expect(get("/users/42"), 200, NULL);
    server_signal(SIGUSR2);                  /* a dump: where standard error was, there must be no file of ours */
    expect(get_as("/users/42", "text/html"), 200, NULL);
    for (int fd = 0; fd < 3; fd++) {
        char path[64], target[256] = "";
        snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)here.pid, fd);
        const ssize_t n = readlink(path, target, sizeof target - 1);
        target[n > 0 ? n : 0] = '\0';
        ck_assert_msg(strstr(target, "socket:") == NULL && strstr(target, "tenk.db") == NULL &&
                      strstr(target, "anon_inode") == NULL && n > 0, "descriptor %d is %s", fd, target);
    }
    server_stop();
}
END_TEST

START_TEST(no_command_needs_standard_files)
{
    next_without(0);
    ck_assert_int_eq(tenk_run(out, sizeof out, "--version", NULL), 0);
    next_without(0);
    next_without(2);
    ck_assert_int_eq(tenk_run(out, sizeof out, "-t", NULL), 0);
    next_without(0);
    next_without(1);
    next_without(2);
    ck_assert_int_eq(tenk_run(out, sizeof out, "DATABASE_URL=sqlite:unheard.db", "--init-db", NULL), 0);
}
END_TEST

/* Memory. */

static const char *const SMALL_MEMORY[] = { "TENK_LIMITS_CONNECTIONS=1000", "TENK_THREADS_MAX=1000", "TENK_LIMITS_BODY=4MiB" };

static void start_in(rlim_t megabytes)
{
    next_limited(RLIMIT_AS, megabytes << 20);
    server_start("machine", SMALL_MEMORY[0], SMALL_MEMORY[1], SMALL_MEMORY[2], NULL);
}

/* Has it been answered, or turned away: with words, or before there was room for any? NULL: the latter. */
static bool is_served(client *c)
{
    if (!c)
        return false;
    const int status = client_answer(c).status;
    ck_assert_msg(status == 200 || status == 503 || status == 0, "%d", status);
    client_free(c);
    return status == 200;
}

static void is_well(void)
{
    ck_assert_msg(server_running(), "it is gone");
    ck_assert_msg(eventually(30, get("/users/42").status == 200), "it does not recover");
    server_stop();
}

START_TEST(a_crowd_that_takes_more_memory_than_there_is_is_refused)
{
    enum { MANY = 600 };
    static client *c[MANY];
    if (run_slowed())                        /* sanitizers take terabytes */
        return;
    start_in(400);
    for (int i = 0; i < MANY; i++)
        if ((c[i] = client_try(here.port)))
            client_say(c[i], "GET /users/42 HTTP/1.1\r\nHost: t\r\n\r\n");
    int served = 0;
    for (int i = 0; i < MANY; i++)
        served += is_served(c[i]);
    ck_assert_int_gt(served, 0);
    is_well();
}
END_TEST

START_TEST(bodies_that_take_more_memory_than_there_is_are_refused)
{
    enum { MANY = 150, BODY = 3 << 20 };
    static client *c[MANY];
    static char most[BODY + 128];
    if (run_slowed())
        return;
    const int head = sprintf(most, "POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: %d\r\n\r\n", BODY);
    memset(most + head, 'x', BODY);
    start_in(400);
    for (int i = 0; i < MANY; i++)           /* all but a byte, so that all are there together */
        if ((c[i] = client_try(here.port)))
            client_send(c[i], most, (size_t)(head + BODY - 1));
    int served = 0;
    for (int i = 0; i < MANY; i++) {         /* in turn: an answer takes as much, and finds what the one before had */
        if (c[i])
            client_send(c[i], "x", 1);
        served += is_served(c[i]);
    }
    ck_assert_int_gt(served, 0);
    is_well();
}
END_TEST

START_TEST(with_too_little_memory_to_start_it_says_so)
{
    if (run_slowed())
        return;
    int started = 0;
    for (rlim_t megabytes = 40; megabytes <= 240; megabytes += 20) {
        next_limited(RLIMIT_AS, megabytes << 20);
        const int code = tenk_run(out, sizeof out, mode(), "PORT=0", "WEB_CONCURRENCY=1",
                                  "DATABASE_URL=sqlite:/nowhere/tenk.db", NULL);
        ck_assert_msg(code == 1 || code == 127, "with %d MiB it ended with %d: %s", (int)megabytes, code, out);
        started += code == 1;
    }
    ck_assert_int_gt(started, 0);
}
END_TEST

/* Threads: the user is one of the machine's who runs nothing else, also if the same test runs beside this one. */

static uid_t lonely_user(void) { return 20000 + (uid_t)getpid() % 40000; }

START_TEST(without_threads_to_start_with_it_says_so)
{
    if (getuid() != 0 || run_slowed())
        return;
    const int needs = in_threads_mode() ? 5 : 10;            /* the log's, SQLite's three, and the pool's, the watch */
    int said = 0;
    char folder[200], file[256], url[300];
    snprintf(folder, sizeof folder, "%s/no-threads", run_folder());
    mkdir(folder, 0755);
    run_copy_database(folder);
    snprintf(file, sizeof file, "%s/tenk.db", folder);
    snprintf(url, sizeof url, "DATABASE_URL=sqlite:%s", file);
    ck_assert_int_eq(chown(folder, lonely_user(), (gid_t)-1) | chown(file, lonely_user(), (gid_t)-1), 0);
    for (int threads = 1; threads < needs; threads++) {
        next_as_user(lonely_user());
        next_limited(RLIMIT_NPROC, (rlim_t)threads);
        const int code = tenk_run(out, sizeof out, mode(), "PORT=0", "WEB_CONCURRENCY=1", "TENK_DATABASE_READERS=2",
                                  "TENK_THREADS_POOL=4", url, NULL);
        ck_assert_msg(code == 1, "with %d threads it ended with %d: %s", threads, code, out);
        said += strstr(out, "thread") != NULL;
    }
    ck_assert_int_eq(said, needs - 1);
}
END_TEST

START_TEST(a_crowd_of_more_than_there_are_threads_is_refused_and_the_log_says_so_once_a_second)
{
    enum { MANY = 200 };
    client *c[MANY];
    if (!in_threads_mode() || getuid() != 0 || run_slowed())
        return;
    next_as_user(lonely_user());
    next_limited(RLIMIT_NPROC, 40);
    server_start("machine", "-c", "/dev/null", "DATABASE_URL=postgresql://tenk@127.0.0.1:1/tenk", "TENK_THREADS_MAX=1000", NULL);
    int good = 0, refused = 0;
    for (int i = 0; i < MANY; i++)
        c[i] = client_asking("/json");
    for (int i = 0; i < MANY; i++) {
        const int status = client_answer(c[i]).status;
        good += status == 200;
        refused += status == 503;            /* or it had not sent all before it was hung up on, and cannot read why */
    }
    for (int i = 0; i < MANY; i++)           /* each has kept its thread until now */
        client_free(c[i]);
    ck_assert_int_gt(good, 10);
    ck_assert_int_le(good, 40);
    ck_assert_int_gt(refused, 25);           /* more than are written in a second */
    ck_assert(eventually(5, server_log_has("more like it")));
    ck_assert(eventually(5, get("/json").status == 200));
    server_stop();
}
END_TEST

Suite *scarce_resources_suite(void)
{
    Suite *s = suite_create("scarce_resources");
    TCase *t = theme(s, "machine", NULL);
    tcase_add_test(t, with_few_descriptors_it_serves_several_clients);
    tcase_add_test(t, with_too_few_descriptors_it_does_not_start_and_says_how_many_it_takes);
    tcase_add_test(t, more_clients_than_descriptors_do_no_harm);
    tcase_add_test(t, without_standard_files_it_keeps_what_it_opens_apart_from_them);
    tcase_add_test(t, no_command_needs_standard_files);
    tcase_add_test(t, a_crowd_that_takes_more_memory_than_there_is_is_refused);
    tcase_add_test(t, bodies_that_take_more_memory_than_there_is_are_refused);
    tcase_add_test(t, with_too_little_memory_to_start_it_says_so);
    tcase_add_test(t, without_threads_to_start_with_it_says_so);
    tcase_add_test(t, a_crowd_of_more_than_there_are_threads_is_refused_and_the_log_says_so_once_a_second);
    return s;
}
