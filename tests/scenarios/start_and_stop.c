/* start_and_stop.c - from the start line to the end: stopping by a signal, finishing what is under way,
 * several workers. */
#include "scenarios.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

START_TEST(the_start_line_says_where_how_on_what_and_how_to_stop)
{
    char address[64];
    server_start("life", "--workers", "2", NULL);
    snprintf(address, sizeof address, "http://127.0.0.1:%d", here.port);
    ck_assert(server_says(address));
    ck_assert(server_says(in_threads_mode() ? "threads mode" : "async mode, 2 workers"));
    ck_assert(server_says("SQLite tenk.db"));
    ck_assert(server_says("Ctrl-C"));
    server_stop();
}
END_TEST

START_TEST(the_start_line_has_no_password_in_it)
{
    server_start("life", "DATABASE_URL=postgresql://tenk:s3cr3t@127.0.0.1:1/tenk", NULL);
    ck_assert(!server_log_has("s3cr3t"));
    get("/users/42");
    ck_assert(!server_log_has("s3cr3t"));
    server_stop();
}
END_TEST

/* False if the machine is so busy that what sleeps for that long was answered before the stop was known. */
static bool finishes_what_is_under_way(int signal, int ms)
{
    char sleep[128];
    server_start("life", NULL);
    const int port = here.port;
    client *slow = client_new(), *idle = client_new(), *promise = client_new(),
           *pipelined = client_new();
    snprintf(sleep, sizeof sleep, "GET /sleep?ms=%d HTTP/1.1\r\nHost: t\r\n\r\n", ms);
    const double end = now_s() + ms / 1000.0;
    client_say(slow, sleep);
    client_say(promise, "GET /sleep/promise?ms=400 HTTP/1.1\r\nHost: t\r\n\r\n");
    client_say(
        pipelined,
        "GET /sleep?ms=300 HTTP/1.1\r\nHost: t\r\n\r\nGET /json HTTP/1.1\r\nHost: t\r\n\r\n");
    client_say(idle, "GET /json HTTP/1.1\r\nHost: t\r\n\r\n");
    ck_assert_int_eq(client_answer(idle).status,
                     200); /* it has seen the others too by now, most likely */
    expect(get("/healthz"), 200, NULL);

    server_signal(signal);
    ck_assert_msg(eventually(2, client_refused(port)), "it accepts new connections");
    const bool in_time = now_s() < end;
    client_free(idle);                       /* it might yet ask */
    answer a = client_answer(slow);
    ck_assert_int_eq(a.status, 200);
    if (in_time) {
        ck_assert_msg(header_is(&a, "Connection", "close"), "%s", a.head);
        ck_assert(client_closed(slow));
    }
    ck_assert_int_eq(client_answer(promise).status, 200);
    ck_assert_int_eq(client_answer(pipelined).status, 200);
    ck_assert_int_eq(client_answer(pipelined).status, 200);
    client_free(pipelined);                  /* it might yet ask, too */
    ck_assert_int_eq(server_wait(), 0);
    client_free(slow);
    client_free(promise);
    return in_time;
}

static void finishes_however_busy_the_machine(int signal)
{
    for (int ms = 400; !finishes_what_is_under_way(signal, ms); ms *= 4)
        ;
}

START_TEST(sigterm_finishes_what_is_under_way_and_exits_0) { finishes_however_busy_the_machine(SIGTERM); }
END_TEST

START_TEST(sigint_does_the_same) { finishes_however_busy_the_machine(SIGINT); }
END_TEST

START_TEST(a_second_signal_ends_it_at_once)
{
    server_start("life", NULL);
    client *c = client_new();
    client_say(c, "GET /sleep?ms=20000 HTTP/1.1\r\nHost: t\r\n\r\n");
    expect(get("/healthz"), 200, NULL);
    server_signal(SIGTERM);
    ck_assert(eventually(5, client_refused(here.port)));
    ck_assert(server_running());
    const double before = granted_s();
    server_signal(SIGTERM);
    server_wait();
    ck_assert_double_lt(granted_s() - before, 2);
    client_free(c);
}
END_TEST

START_TEST(draining_has_a_deadline)
{
    server_start("life", "TENK_TIMEOUTS_DRAIN=300ms", NULL);
    client *c = client_heard("/sleep?ms=20000"), *half = client_new(), *deaf = client_small(4096);
    client_say(half, "POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\n\r\nhe");
    client_say(deaf, "GET /static/large.bin HTTP/1.1\r\nHost: t\r\n\r\n");
    expect(get("/healthz"), 200, NULL);
    const double before = now_s(), granted = granted_s();
    server_signal(SIGTERM);
    ck_assert_int_eq(server_wait(), 1);      /* it was late */
    ck_assert_msg(now_s() - before >= 0.29, "it did not wait");
    ck_assert_double_lt(granted_s() - granted, 5);
    client_free(c);
    client_free(half);
    client_free(deaf);
}
END_TEST

START_TEST(a_server_stopped_before_its_first_request_exits_0)
{
    for (int i = 0; i < 10; i++) {
        server_start("life", i % 2 ? "--workers=2" : "--workers=1", NULL);
        server_stop();
    }
}
END_TEST

static void say_post(client *c, int user, int number)
{
    char body[64], request[256];
    snprintf(body, sizeof body, "title=last+%03d&body=b", number);
    snprintf(request, sizeof request,
             "POST /users/%d/posts HTTP/1.1\r\nHost: t\r\nContent-Type: application/x-www-form-urlencoded\r\n"
             "Content-Length: %zu\r\n\r\n%s", user, strlen(body), body);
    ck_assert(client_say(c, request));
}

START_TEST(posts_under_way_are_finished_before_the_end)
{
    enum { MANY = 50, USERS = 5 };
    client *c[MANY];
    char url[256];
    server_start("life", NULL);
    snprintf(url, sizeof url, "DATABASE_URL=sqlite:%s/tenk.db", here.folder);
    for (int i = 0; i < MANY; i++) {         /* it knows them all: none waits to be accepted */
        c[i] = client_asking("/json");
        ck_assert_int_eq(client_answer(c[i]).status, 200);
    }
    for (int i = 0; i < MANY; i++)
        say_post(c[i], 30 + i % USERS, i);
    server_signal(SIGTERM);
    for (int i = 0; i < MANY; i++) {
        const answer a = client_answer(c[i]);
        ck_assert_msg(a.status == 303, "post %d: %d", i, a.status);
        if (header_is(&a, "connection", "close"))            /* else it was answered before it was known */
            ck_assert_msg(client_closed(c[i]), "connection %d goes on", i);
        client_free(c[i]);
    }
    ck_assert_int_eq(server_wait(), 0);
    server_start("life", url, NULL);
    int there = 0;
    for (int i = 0; i < USERS; i++) {
        char path[32];
        snprintf(path, sizeof path, "/users/%d", 30 + i);
        there += occurrences(get_as(path, "application/json").body, "\"last ");
    }
    ck_assert_int_eq(there, MANY);
    server_stop();
}
END_TEST

START_TEST(with_two_workers_both_serve)
{
    enum { MANY = 60, EACH = 10 };           /* one alone serves ten connections, and refuses the others */
    client *c[MANY];
    int served = 0;
    server_start("life", "--workers", "2", "TENK_LIMITS_CONNECTIONS=10", NULL);
    for (int i = 0; i < MANY; i++)
        c[i] = client_new();
    for (int i = 0; i < MANY; i++) {
        client_say(c[i], "GET /users/42 HTTP/1.1\r\nHost: t\r\n\r\n");
        const answer a = client_answer(c[i]);
        ck_assert(a.status == 200 || a.status == 503 || a.status == 0);
        served += a.status == 200;
    }
    ck_assert_msg(served > EACH && served <= 2 * EACH, "%d are served", served);
    for (int i = 0; i < MANY; i++)
        client_free(c[i]);
    server_stop();
}
END_TEST

START_TEST(with_two_workers_both_stop)
{
    server_start("life", "--workers", "2", NULL);
    client *c[50];
    for (int i = 0; i < 50; i++) {
        c[i] = client_new();
        client_say(c[i], "GET /sleep?ms=300 HTTP/1.1\r\nHost: t\r\n\r\n");
    }
    expect(get("/healthz"), 200, NULL);
    for (int i = 0; i < 20; i++)             /* each of the workers has read by now */
        expect(get("/healthz"), 200, NULL);
    server_signal(SIGTERM);
    for (int i = 0; i < 50; i++) {
        ck_assert_int_eq(client_answer(c[i]).status, 200);
        client_free(c[i]);
    }
    ck_assert_int_eq(server_wait(), 0);
}
END_TEST

START_TEST(one_worker_of_many_that_is_late_is_enough_to_be_late)
{
    for (int i = 0; i < 2; i++) {            /* whichever it is */
        server_start("life", "--workers=8", "TENK_TIMEOUTS_DRAIN=100ms", NULL);
        client *c = client_heard("/sleep?ms=20000");
        server_signal(SIGTERM);
        ck_assert_int_eq(server_wait(), 1);
        client_free(c);
    }
}
END_TEST

START_TEST(it_serves_on_the_address_it_was_given)
{
    server_start("life", "--listen", "127.0.0.1:0", "PORT=1", NULL);     /* the flag wins */
    expect(get("/healthz"), 200, NULL);
    server_stop();
}
END_TEST

Suite *start_and_stop_suite(void)
{
    Suite *s = suite_create("start_and_stop");
    TCase *t = theme(s, "life", NULL);
    tcase_add_test(t, the_start_line_says_where_how_on_what_and_how_to_stop);
    tcase_add_test(t, the_start_line_has_no_password_in_it);
    tcase_add_test(t, sigterm_finishes_what_is_under_way_and_exits_0);
    tcase_add_test(t, sigint_does_the_same);
    tcase_add_test(t, a_second_signal_ends_it_at_once);
    tcase_add_test(t, draining_has_a_deadline);
    tcase_add_test(t, a_server_stopped_before_its_first_request_exits_0);
    tcase_add_test(t, posts_under_way_are_finished_before_the_end);
    tcase_add_test(t, with_two_workers_both_serve);
    tcase_add_test(t, with_two_workers_both_stop);
    tcase_add_test(t, one_worker_of_many_that_is_late_is_enough_to_be_late);
    tcase_add_test(t, it_serves_on_the_address_it_was_given);
    return s;
}
