/* unread_log.c - a log that nobody reads: the server goes on, and says later what was lost; and it ends. */
#include "scenarios.h"

#include "tests/scenarios/support/json.h"
#include "tests/scenarios/support/launch.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A pipe that is full from the start. */
static void full_pipe(int ends[2])
{
    char some[4096];
    memset(some, '.', sizeof some);
    some[sizeof some - 1] = '\n';
    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    fcntl(ends[1], F_SETPIPE_SZ, (int)sizeof some);
    fcntl(ends[1], F_SETFL, O_WRONLY | O_NONBLOCK);
    while (write(ends[1], some, sizeof some) > 0)
        ;
    fcntl(ends[1], F_SETFL, O_WRONLY);
}

/* One that has much to say: its database is not there. */
static void start_unheard(int ends[2])
{
    full_pipe(ends);
    next_errors_to(ends[1]);
    server_start("logs", "DATABASE_URL=postgresql://tenk@127.0.0.1:1/tenk", "TENK_DATABASE_LINE_TIMEOUT=50ms", NULL);
    close(ends[1]);
}

static int64_t of_log(const char *key)
{
    json_t *stats = json_in(get("/stats"), 200);
    const int64_t number = number_of(json_object_get(stats, "log"), key);
    json_decref(stats);
    return number;
}

START_TEST(a_log_that_nobody_reads_delays_nobody_and_it_ends_when_told)
{
    int ends[2];
    start_unheard(ends);
    for (int i = 0; i < 5; i++) {
        expect_problem(get("/users/42"), 503);
        expect(get("/json"), 200, NULL);
    }
    server_signal(SIGTERM);
    ck_assert_int_eq(server_wait(), 0);
    close(ends[0]);
}
END_TEST

static bool says(int fd, const char *part)
{
    static char all[1 << 20];
    size_t have = 0;
    for (ssize_t n; have + 1 < sizeof all && (n = read(fd, all + have, sizeof all - 1 - have)) > 0;) {
        have += (size_t)n;
        all[have] = '\0';
        if (strstr(all, part))
            return true;
    }
    return false;
}

/* Each client more makes a dump longer. */
static bool dropped_some(void)
{
    server_signal(SIGUSR2);
    return of_log("dropped") > 0;
}

START_TEST(lines_that_nobody_read_are_counted_and_said_when_somebody_does)
{
    enum { MANY = 100 };
    client *c[MANY];
    int ends[2];
    start_unheard(ends);
    for (int i = 0; i < MANY; i++)
        c[i] = client_asking("/sleep?ms=60000");
    ck_assert(eventually(30, dropped_some()));
    ck_assert_msg(says(ends[0], "lines of this log were dropped, for nobody read it\n"), "the log does not say it");
    for (int i = 0; i < MANY; i++)
        client_reset(c[i]);
    server_signal(SIGTERM);
    ck_assert(says(ends[0], "stopping (SIGTERM)"));          /* and nothing is lost any more */
    close(ends[0]);
    server_wait();
}
END_TEST

Suite *unread_log_suite(void)
{
    Suite *s = suite_create("unread_log");
    TCase *t = theme(s, "logs", NULL);
    tcase_add_test(t, a_log_that_nobody_reads_delays_nobody_and_it_ends_when_told);
    tcase_add_test(t, lines_that_nobody_read_are_counted_and_said_when_somebody_does);
    return s;
}
