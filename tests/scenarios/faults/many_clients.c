/* many_clients.c - very many at once, and very many who leave without a word. */
#include "tests/scenarios/scenarios.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Who is refused when a machine is too slow for a crowd is another theme: here all are served, however long it takes. */
static void start_for_crowds(const char *name, const char *workers)
{
    server_start(name, "--workers", workers, "TENK_DATABASE_TARGET=0", "TENK_DATABASE_LINE_TIMEOUT=60s", NULL);
}

static void with_one_worker(void)  { start_for_crowds("crowds", "1"); }
static void with_two_workers(void) { start_for_crowds("crowds-2", "2"); }

static void all_sleep(const char *request)
{
    const int count = most_connections(scaled(5000));
    client **c = calloc((size_t)count, sizeof *c);
    for (int i = 0; i < count; i++)
        c[i] = client_new();
    const double before = granted_s();
    for (int i = 0; i < count; i++)
        ck_assert(client_say(c[i], request));
    for (int i = 0; i < count; i++)
        ck_assert_int_eq(client_answer(c[i]).status, 200);
    const double took = granted_s() - before;
    for (int i = 0; i < count; i++)
        client_free(c[i]);
    free(c);
    /* One after the other they would take an hour; how near to one second they come, the benchmark says. */
    ck_assert_msg(took < 20, "%d sleeps of 1 s took %.1f s", count, took);
}

START_TEST(five_thousand_tasks_sleep_at_once)
{
    all_sleep("GET /sleep?ms=1000 HTTP/1.1\r\nHost: t\r\n\r\n");
}
END_TEST

START_TEST(five_thousand_promises_sleep_at_once)
{
    all_sleep("GET /sleep/promise?ms=1000 HTTP/1.1\r\nHost: t\r\n\r\n");
}
END_TEST

START_TEST(five_hundred_ask_for_a_user_at_once)
{
    const int count = scaled(500);
    client *c[500];
    for (int i = 0; i < count; i++) {
        c[i] = client_new();
        client_say(c[i], "GET /users/42 HTTP/1.1\r\nHost: t\r\n\r\n");
    }
    for (int i = 0; i < count; i++) {
        expect(client_answer(c[i]), 200, "text/html");
        client_free(c[i]);
    }
}
END_TEST

typedef void visitor(int i);

static void leaves_before_asking(int i)
{
    (void)i;
    client_reset(client_new());
}

static void leaves_in_the_head(int i)
{
    client *c = client_new();
    client_say(c, "GET /users/42 HTTP/1.1\r\nHost: t\r\nX: half");
    i % 2 ? client_reset(c) : client_free(c);
}

static void leaves_in_the_body(int i)
{
    client *c = client_new();
    client_say(
        c,
        i % 4 < 2
            ? "POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 60000\r\n\r\nhalf"
            : "POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
    i % 2 ? client_reset(c) : client_free(c);
}

static void leaves_before_the_answer(int i)
{
    static const char *const requests[] = {
        "GET /users/42 HTTP/1.1\r\nHost: t\r\n\r\n",
        "GET /users/42/promises HTTP/1.1\r\nHost: t\r\n\r\n",
        "GET /users/42/callbacks HTTP/1.1\r\nHost: t\r\n\r\n",
        "GET /users/42/sequential HTTP/1.1\r\nHost: t\r\n\r\n",
        "GET /users HTTP/1.1\r\nHost: t\r\n\r\n", "GET /sleep?ms=50 HTTP/1.1\r\nHost: t\r\n\r\n",
        "GET /sleep/promise?ms=50 HTTP/1.1\r\nHost: t\r\n\r\n",
        "GET /static/large.bin HTTP/1.1\r\nHost: t\r\n\r\n",
        ("GET /sleep?ms=50 HTTP/1.1\r\nHost: t\r\n\r\n"
         "GET /users/42 HTTP/1.1\r\nHost: t\r\n\r\n"
         "GET /users/43/callbacks HTTP/1.1\r\nHost: t\r\n\r\n"),
        "POST /echo HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n",
    };
    client *c = client_new();
    client_say(c, requests[i % 10]);
    if (i % 3 == 0)
        pause_ms(1);                         /* at another moment of the answer */
    i % 2 ? client_reset(c) : client_free(c);
}

static void leaves_in_the_answer(int i)
{
    client *c = client_small(4096);
    client_say(
        c,
        "GET /users HTTP/1.1\r\nHost: t\r\n\r\nGET /static/large.bin HTTP/1.1\r\nHost: t\r\n\r\n");
    client_answer(c);
    i % 2 ? client_reset(c) : client_free(c);
}

/* Everything a visitor can leave behind is gone after them: descriptors, memory. */
static void nothing_remains_of(visitor *visit, int count)
{
    for (int i = 0; i < count / 4; i++)      /* warm: pools, stacks and caches have their size */
        visit(i);
    client *last = client_new();
    client_say(last, "GET /healthz HTTP/1.1\r\nHost: t\r\n\r\n");
    ck_assert_int_eq(client_answer(last).status, 200);
    client_free(last);
    int before = server_descriptors();
    ck_assert(eventually(5, ({
                             const int now = server_descriptors();
                             const bool same = now == before;
                             before = now;
                             same;
                         })));
    const long resident = server_resident();
    for (int i = 0; i < count; i++)
        visit(i);
    ck_assert_msg(eventually(10, server_descriptors() <= before), "%d descriptors, %d before",
                  server_descriptors(), before);
    if (!run_slowed())                       /* what a burst took is given back within seconds */
        ck_assert_msg(eventually(30, server_resident() - resident < 4L << 20), "%ld KiB more after %d visits",
                      (server_resident() - resident) >> 10, count);
    expect(get("/users/42"), 200, "text/html");
}

START_TEST(nothing_remains_of_those_who_leave_before_asking)
{
    nothing_remains_of(leaves_before_asking, scaled(4000));
}
END_TEST
START_TEST(nothing_remains_of_those_who_leave_in_the_head)
{
    nothing_remains_of(leaves_in_the_head, scaled(4000));
}
END_TEST
START_TEST(nothing_remains_of_those_who_leave_in_the_body)
{
    nothing_remains_of(leaves_in_the_body, scaled(4000));
}
END_TEST
START_TEST(nothing_remains_of_those_who_leave_before_the_answer)
{
    nothing_remains_of(leaves_before_the_answer, scaled(4000));
}
END_TEST
START_TEST(nothing_remains_of_those_who_leave_in_the_answer)
{
    nothing_remains_of(leaves_in_the_answer, scaled(400));
}
END_TEST

START_TEST(a_sleeper_whose_client_has_left_is_woken)
{
    const int before = server_descriptors();
    for (int i = 0; i < 100; i++) {
        client *c = client_new();
        client_say(c, i % 2 ? "GET /sleep?ms=60000 HTTP/1.1\r\nHost: t\r\n\r\n"
                            : "GET /sleep/promise?ms=60000 HTTP/1.1\r\nHost: t\r\n\r\n");
        client_reset(c);
    }
    ck_assert_msg(eventually(5, server_descriptors() <= before), "%d descriptors, %d before",
                  server_descriptors(), before);
}
END_TEST

static void with_few_connections(void) { server_start("full", "TENK_LIMITS_CONNECTIONS=20", NULL); }

START_TEST(a_full_house_recovers)
{
    client *c[60];
    int served = 0;
    for (int i = 0; i < 60; i++)
        c[i] = client_new();                 /* the kernel's queue takes those the server does not */
    for (int i = 0; i < 20; i++) {
        client_say(c[i], "GET /json HTTP/1.1\r\nHost: t\r\n\r\n");
        served += client_answer(c[i]).status == 200;
    }
    ck_assert_int_eq(served, 20);
    for (int i = 0; i < 60; i++)
        client_free(c[i]);
    ck_assert(eventually(5, get("/json").status == 200));
}
END_TEST

Suite *many_clients_suite(void)
{
    Suite *s = suite_create("many_clients");
    TCase *t = theme(s, "crowds", with_one_worker);
    tcase_add_test(t, five_thousand_tasks_sleep_at_once);
    tcase_add_test(t, five_thousand_promises_sleep_at_once);
    tcase_add_test(t, five_hundred_ask_for_a_user_at_once);
    tcase_add_test(t, nothing_remains_of_those_who_leave_before_asking);
    tcase_add_test(t, nothing_remains_of_those_who_leave_in_the_head);
    tcase_add_test(t, nothing_remains_of_those_who_leave_in_the_body);
    tcase_add_test(t, nothing_remains_of_those_who_leave_before_the_answer);
    tcase_add_test(t, nothing_remains_of_those_who_leave_in_the_answer);
    tcase_add_test(t, a_sleeper_whose_client_has_left_is_woken);
    t = theme(s, "crowds-2", with_two_workers);
    tcase_add_test(t, five_thousand_tasks_sleep_at_once);
    tcase_add_test(t, five_hundred_ask_for_a_user_at_once);
    tcase_add_test(t, nothing_remains_of_those_who_leave_before_the_answer);
    t = theme(s, "full", with_few_connections);
    tcase_add_test(t, a_full_house_recovers);
    return s;
}
