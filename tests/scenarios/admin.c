/* admin.c - [admin] listen: what is for whoever runs the server is there, and only there. */
#include "scenarios.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const LOOKS[] = { "/metrics", "/stats", "/requests", "/log/level" };

static int admin_port(void)
{
    char path[256], line[1024];
    const char *at = NULL;
    ck_assert(server_says("admin at http://127.0.0.1:"));
    snprintf(path, sizeof path, "%s/log", here.folder);
    FILE *f = fopen(path, "r");
    while (f && !at && fgets(line, sizeof line, f))
        at = strstr(line, "admin at http://127.0.0.1:");
    if (f)
        fclose(f);
    return at ? atoi(at + strlen("admin at http://127.0.0.1:")) : 0;
}

/* The status of that request at that port. */
static int status_at(int port, const char *method, const char *path, const char *body)
{
    char words[512];
    client *c = client_try(port);
    ck_assert_ptr_nonnull(c);
    snprintf(words, sizeof words, "%s %s HTTP/1.1\r\nHost: t\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n%s", method, path,
             strlen(body), body);
    client_say(c, words);
    const int status = client_answer(c).status;
    client_free(c);
    return status;
}

START_TEST(an_admin_listener_has_what_looks_and_switches_and_nothing_of_the_site)
{
    server_start("admin", "TENK_ADMIN_LISTEN=127.0.0.1:0", "TENK_ADMIN_PUBLIC=off", "TENK_PATTERNS_ENABLED=off", NULL);
    const int port = admin_port();
    for (size_t i = 0; i < sizeof LOOKS / sizeof *LOOKS; i++) {
        ck_assert_int_eq(status_at(port, "GET", LOOKS[i], ""), 200);
        ck_assert_int_eq(get(LOOKS[i]).status, 404);
    }
    ck_assert_int_eq(status_at(port, "GET", "/users/42", ""), 404);
    ck_assert_int_eq(status_at(port, "GET", "/healthz", ""), 200);
    ck_assert_int_eq(status_at(port, "GET", "/readyz", ""), 200);
    ck_assert_int_eq(get("/healthz").status, 200);
    ck_assert_int_eq(get("/readyz").status, 200);
    server_stop();
}
END_TEST

START_TEST(the_level_of_the_log_is_changed_while_the_server_runs)
{
    server_start("admin", "TENK_ADMIN_LISTEN=127.0.0.1:0", NULL);
    const int port = admin_port();
    ck_assert_int_eq(status_at(port, "PUT", "/log/level", "debug"), 204);
    ck_assert(server_says("the log's level is debug from now on"));
    expect_body(get("/log/level"), "debug\n");
    ck_assert_int_eq(status_at(port, "PUT", "/log/level", "loud"), 422);
    expect_body(get("/log/level"), "debug\n");
    ck_assert_int_eq(status_at(port, "POST", "/recordings", ""), 202);
    ck_assert(server_says("what was done last is in "));
    server_stop();
}
END_TEST

START_TEST(it_answers_when_there_are_as_many_clients_as_there_may_be)
{
    server_start("admin", "TENK_ADMIN_LISTEN=127.0.0.1:0", "TENK_LIMITS_CONNECTIONS=2", "TENK_THREADS_MAX=2", NULL);
    const int port = admin_port();
    client *c[] = { client_asking("/sleep?ms=60000"), client_asking("/sleep?ms=60000") };
    ck_assert(eventually(10, get("/healthz").status == 503));
    ck_assert_int_eq(status_at(port, "GET", "/metrics", ""), 200);
    client_reset(c[0]);
    client_reset(c[1]);
    server_stop();
}
END_TEST

Suite *admin_suite(void)
{
    Suite *s = suite_create("admin");
    TCase *t = tcase_create("admin");
    tcase_add_test(t, an_admin_listener_has_what_looks_and_switches_and_nothing_of_the_site);
    tcase_add_test(t, the_level_of_the_log_is_changed_while_the_server_runs);
    tcase_add_test(t, it_answers_when_there_are_as_many_clients_as_there_may_be);
    suite_add_tcase(s, t);
    return s;
}
