/* unread_log.c - a log that nobody reads, or spans: the server goes on, and says later what was lost; and it ends. */
#include "scenarios.h"

#include "tests/scenarios/support/json.h"
#include "tests/scenarios/support/launch.h"
#include "tests/scenarios/support/samples.h"
#include "tests/support/loopback.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
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

/* So many on one connection, in a pipeline. */
static void ask_many(client *c, int count)
{
    static const char ASK[] = "GET /plaintext HTTP/1.1\r\nHost: t\r\n"
                              "User-Agent: somebody who says a few words about himself\r\n\r\n";
    for (int i = 0; i < count; i++)
        client_say(c, ASK);
    for (int i = 0; i < count; i++)
        ck_assert_int_eq(client_answer(c).status, 200);
}

/* Until none is taken any more of what each request adds. */
static void ask_until_dropped(const char *counter)
{
    enum { AT_ONCE = 16, MOST = 20000 };
    client *c = client_new();
    for (int i = 0; i < MOST && sample(counter) == 0; i += 64 * AT_ONCE)
        for (int j = 0; j < 64; j++)
            ask_many(c, AT_ONCE);
    client_free(c);
    ck_assert_double_gt(sample(counter), 0);
}

/* A line for each request. */
static void fill_access_log(int ends[2])
{
    full_pipe(ends);
    next_errors_to(ends[1]);
    server_start("logs", "TENK_LOG_ACCESS=json", "TENK_LOG_ACCESS_TO=stderr", NULL);
    close(ends[1]);
    expect_sample("access_log_lines_dropped_total", 0);
    ask_until_dropped("access_log_lines_dropped_total");
    ck_assert_int_gt(of_log("access_dropped"), 0);
    ck_assert_double_eq(sample("log_lines_dropped_total"), 0);       /* it is another log */
}

START_TEST(an_access_log_that_nobody_reads_delays_nobody_and_it_ends_when_told)
{
    int ends[2];
    fill_access_log(ends);
    server_signal(SIGTERM);
    ck_assert_int_eq(server_wait(), 0);
    close(ends[0]);
}
END_TEST

START_TEST(lines_of_the_access_log_that_were_lost_are_said_when_somebody_reads)
{
    int ends[2];
    fill_access_log(ends);
    ck_assert_msg(says(ends[0], "lines of the access log were dropped"), "the log does not say it");
    server_signal(SIGTERM);
    ck_assert(says(ends[0], "stopping (SIGTERM)"));
    close(ends[0]);
    server_wait();
}
END_TEST

START_TEST(spans_that_no_collector_takes_delay_nobody_and_are_counted)
{
    char endpoint[80];
    int port;
    const int collector = loopback_listen(16, &port);        /* it connects, and never gets an answer */
    snprintf(endpoint, sizeof endpoint, "TENK_TRACES_ENDPOINT=http://127.0.0.1:%d/v1/traces", port);
    server_start("logs", endpoint, "TENK_TRACES_SAMPLE=1", NULL);
    expect_sample("trace_spans_dropped_total", 0);
    ask_until_dropped("trace_spans_dropped_total");
    expect_sample("trace_spans_sent_total", 0);
    server_signal(SIGTERM);
    ck_assert_int_eq(server_wait(), 0);
    close(collector);
}
END_TEST

Suite *unread_log_suite(void)
{
    Suite *s = suite_create("unread_log");
    TCase *t = theme(s, "logs", NULL);
    tcase_add_test(t, a_log_that_nobody_reads_delays_nobody_and_it_ends_when_told);
    tcase_add_test(t, lines_that_nobody_read_are_counted_and_said_when_somebody_does);
    tcase_add_test(t, an_access_log_that_nobody_reads_delays_nobody_and_it_ends_when_told);
    tcase_add_test(t, lines_of_the_access_log_that_were_lost_are_said_when_somebody_reads);
    tcase_add_test(t, spans_that_no_collector_takes_delay_nobody_and_are_counted);
    return s;
}
