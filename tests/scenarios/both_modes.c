/* both_modes.c - a loop and threads answer alike, byte for byte, to the good and to the bad: in two processes, and in one. */
#include "scenarios.h"

#include "tests/scenarios/support/postgres.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static server by_mode[2];                    /* async, threads */

/* Which a page of users has once somebody has counted them. */
static bool has_counted(void) { return strstr(get("/users").body, " users on "); }

static void wait_for_both(void)
{
    for (int i = 0; i < 2; i++) {
        here = by_mode[i];
        ck_assert(eventually(30, has_counted()));
    }
}

static void both(const char *name, const char *database)
{
    server_start(name, "--mode", "async", "TENK_LIMITS_BODY=64KiB", database, NULL);
    by_mode[0] = here;
    server_start(name, "--mode", "threads", "TENK_LIMITS_BODY=64KiB", database, NULL);
    by_mode[1] = here;
    wait_for_both();
}

static void both_in_one(const char *name, const char *database)
{
    server_start(name, "--compare", "TENK_LIMITS_BODY=64KiB", database, NULL);
    by_mode[0] = by_mode[1] = here;
    by_mode[in_threads_mode() ? 0 : 1].port = server_second_port();
    wait_for_both();
}

static void both_in_one_on_sqlite(void) { both_in_one("modes-in-one", NULL); }

static void both_in_one_on_postgres(void)
{
    static char url[300];
    snprintf(url, sizeof url, "DATABASE_URL=%s", postgres_url());
    both_in_one("modes-in-one-postgres", url);
}

static void both_on_sqlite(void) { both("modes-sqlite", NULL); }

static void both_on_postgres(void)
{
    static char url[300];
    snprintf(url, sizeof url, "DATABASE_URL=%s", postgres_url());
    both("modes-postgres", url);
}

static void stop_both(void)
{
    for (int i = 0; i < 2; i++) {
        here = by_mode[i];
        server_fixture_stop();
    }
}

static void stop_one(void)
{
    here = by_mode[0];
    server_fixture_stop();
}

/* The value of these two is the clock's. */
static char *without_times(const char *answers)
{
    char *all = strdup(answers);
    static const char *const CLOCKS[] = { "\r\nDate: ", "\r\nServer-Timing: " };
    for (size_t i = 0; i < sizeof CLOCKS / sizeof CLOCKS[0]; i++)
        for (char *at = all; (at = strstr(at, CLOCKS[i]));) {
            at += strlen(CLOCKS[i]);
            char *end = strstr(at, "\r\n");
            memmove(at, end, strlen(end) + 1);
        }
    return all;
}

static char *answers_of(int mode, const char *request)
{
    here = by_mode[mode];
    client *c = client_new();
    client_say(c, request);
    char *all = without_times(client_rest(c));
    client_free(c);
    return all;
}

#define H " HTTP/1.1\r\nHost: t\r\n"
#define LAST "Connection: close\r\n\r\n"

static const char *const REQUESTS[] = {
    "GET /" H LAST,
    "GET /users" H LAST,
    "GET /users?page=3" H "Accept: application/json\r\n" LAST,
    "GET /users/42" H LAST,
    "GET /users/42?render=inline" H LAST,
    "GET /users/42?render=process" H LAST,
    "GET /users/42?render=nowhere" H LAST,
    "GET /users/42/promises" H LAST,
    "GET /users/42/callbacks" H LAST,
    "GET /users/42/sequential" H "Accept: application/json\r\n" LAST,
    "GET /users/0" H LAST,
    "GET /users/x/callbacks" H "Accept: text/html\r\n" LAST,
    "GET /users/123456/promises" H "Accept: text/html\r\n" LAST,
    "HEAD /users/42" H LAST,
    "OPTIONS /users/42" H LAST,
    "DELETE /users/42" H LAST,
    "OPTIONS *" H LAST,
    "GET /sleep?ms=2" H LAST,
    "GET /sleep/promise?ms=2" H LAST,
    "GET /sleep?ms=x" H LAST,
    "GET /plaintext" H "\r\nGET /json" H "\r\nGET /nothing" H "\r\nGET /healthz" H LAST,
    "GET /sleep?ms=20" H "\r\nHEAD /json" H "\r\nGET /users/7" H LAST,
    "GET /plaintext HTTP/1.0\r\n\r\n",
    "GET /plaintext HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /json HTTP/1.0\r\n\r\n",
    "GET /users/42/posts.ndjson" H "\r\nHEAD /export.ndjson" H "\r\nGET /users/42/posts.ndjson HTTP/1.0\r\n\r\n",
    "GET /users/123456/posts.ndjson" H LAST,
    "GET /static/hello.txt" H LAST,
    "HEAD /static/large.bin" H LAST,
    "GET /static/../secret.txt" H LAST,
    "GET /static/empty.txt" H LAST,
    "POST /echo" H "Content-Length: 5\r\nContent-Type: text/x\r\n" LAST "hello",
    "POST /echo" H "Transfer-Encoding: chunked\r\n" LAST "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nT: x\r\n\r\n",
    "POST /echo" H "Content-Length: 5\r\nExpect: 100-continue\r\n" LAST "hello",
    "POST /echo" H "Content-Length: 65537\r\n\r\n",
    "POST /users/42/posts" H "Content-Type: application/json\r\nContent-Length: 2\r\n" LAST "{}",
    "POST /users/42/posts" H "Content-Type: text/plain\r\nContent-Length: 2\r\n" LAST "hi",
    "GET / HTTP/1.1\r\n\r\n",
    "GET /plaintext" H "\r\nGET / HTTP/2.0\r\n\r\nGET /json" H LAST,
    "GET / HTTP/1.1\r\nHost : t\r\n\r\n",
    "POST /echo" H "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "POST /echo" H "Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    "BREW /pot" H "\r\n",
    "\r\n\r\nGET /plaintext" H LAST,
};

START_TEST(the_same_request_has_the_same_answer)
{
    for (size_t i = 0; i < sizeof REQUESTS / sizeof REQUESTS[0]; i++) {
        char *looped = answers_of(0, REQUESTS[i]), *threaded = answers_of(1, REQUESTS[i]);
        ck_assert_msg(strncmp(looped, "HTTP/1.1 ", 9) == 0, "%s\nis not answered: %s", REQUESTS[i], looped);
        ck_assert_msg(strcmp(looped, threaded) == 0, "%s\nasync: %.3000s\nthreads: %.3000s", REQUESTS[i], looped, threaded);
        free(looped);
        free(threaded);
    }
}
END_TEST

START_TEST(a_large_file_is_the_same_to_the_last_byte)
{
    char *bytes[2];
    size_t length[2];
    for (int i = 0; i < 2; i++) {
        here = by_mode[i];
        const answer a = get("/static/large.bin");
        bytes[i] = memcpy(malloc(a.length), a.body, length[i] = a.length);
    }
    ck_assert_uint_eq(length[0], length[1]);
    ck_assert_int_eq(memcmp(bytes[0], bytes[1], length[0]), 0);
    free(bytes[0]);
    free(bytes[1]);
}
END_TEST

START_TEST(what_one_stores_the_other_shows)
{
    for (int i = 0; i < 2; i++) {
        here = by_mode[i];
        const answer a = post_as("/users/77/posts", "application/json", "{\"title\":\"of both\",\"body\":\"b\"}",
                                 "application/json");
        expect(a, 201, "application/json");
    }
    for (int i = 0; i < 2; i++) {
        here = by_mode[i];
        ck_assert_int_ge(occurrences(get_as("/users/77", "application/json").body, "\"of both\""), 2);
    }
}
END_TEST

Suite *both_modes_suite(void)
{
    Suite *s = suite_create("both_modes");
    TCase *sqlite = theme(s, "modes-sqlite", NULL), *postgres = postgres_theme(s, "modes-postgres");
    TCase *one = theme(s, "modes-in-one", NULL), *one_on_postgres = postgres_theme(s, "modes-in-one-postgres");
    tcase_add_unchecked_fixture(sqlite, both_on_sqlite, stop_both);
    tcase_add_unchecked_fixture(postgres, both_on_postgres, stop_both);
    tcase_add_test(sqlite, the_same_request_has_the_same_answer);
    tcase_add_test(sqlite, a_large_file_is_the_same_to_the_last_byte);
    tcase_add_test(postgres, the_same_request_has_the_same_answer);
    tcase_add_test(postgres, what_one_stores_the_other_shows);
    tcase_add_unchecked_fixture(one, both_in_one_on_sqlite, stop_one);
    tcase_add_unchecked_fixture(one_on_postgres, both_in_one_on_postgres, stop_one);
    tcase_add_test(one, the_same_request_has_the_same_answer);
    tcase_add_test(one, a_large_file_is_the_same_to_the_last_byte);
    tcase_add_test(one, what_one_stores_the_other_shows);
    tcase_add_test(one_on_postgres, the_same_request_has_the_same_answer);
    tcase_add_test(one_on_postgres, what_one_stores_the_other_shows);
    return s;
}
