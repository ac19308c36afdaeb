/* threads_mode.c - what only threads mode has: a thread for each connection, and no more than so many. */
#include "scenarios.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int threads(void)
{
    char path[64], line[256];
    int count = 0;
    snprintf(path, sizeof path, "/proc/%d/status", (int)here.pid);
    FILE *f = fopen(path, "r");
    while (f && fgets(line, sizeof line, f))
        if (sscanf(line, "Threads: %d", &count) == 1)
            break;
    if (f)
        fclose(f);
    return count;
}

START_TEST(the_start_line_says_threads_and_how_many)
{
    server_start("threads", "--mode", "threads", "TENK_THREADS_MAX=321", NULL);
    ck_assert(server_says("threads mode"));
    ck_assert(server_says("321"));
    server_stop();
}
END_TEST

START_TEST(each_connection_has_a_thread_which_goes_with_it)
{
    enum { MANY = 20 };
    client *c[MANY];
    server_start("threads", "--mode", "threads", NULL);
    const int before = threads();
    for (int i = 0; i < MANY; i++) {
        c[i] = client_asking("/json");
        ck_assert_int_eq(client_answer(c[i]).status, 200);
    }
    ck_assert_int_eq(threads(), before + MANY);
    for (int i = 0; i < MANY; i++)
        client_free(c[i]);
    ck_assert_msg(eventually(5, threads() == before), "%d threads, %d before", threads(), before);
    server_stop();
}
END_TEST

START_TEST(one_more_than_there_may_be_is_503_and_there_is_room_when_one_leaves)
{
    client *c[3];
    server_start("threads", "--mode", "threads", "TENK_THREADS_MAX=3", NULL);
    for (int i = 0; i < 3; i++) {
        c[i] = client_asking("/json");
        ck_assert_int_eq(client_answer(c[i]).status, 200);
    }
    client *late = client_asking("/json");
    const answer a = client_answer(late);
    ck_assert_int_eq(a.status, 503);
    ck_assert(header_is(&a, "Retry-After", "1"));
    ck_assert(header_is(&a, "Connection", "close"));
    ck_assert(client_closed(late));
    client_free(late);
    client_free(c[0]);
    ck_assert_msg(eventually(5, get("/json").status == 200), "there is no room again");
    client_free(c[1]);
    client_free(c[2]);
    server_stop();
}
END_TEST

/* A deadline of a minute, and nobody there to see it. */
START_TEST(a_client_that_leaves_ends_what_its_thread_waits_for)
{
    static const char *const paths[] = { "/sleep?ms=60000", "/sleep/promise?ms=60000" };
    server_start("threads", "--mode", "threads", NULL);
    const int before = threads();
    for (int i = 0; i < 4; i++) {
        client *c = client_asking(paths[i % 2]);
        ck_assert(eventually(5, threads() == before + 1));
        i < 2 ? client_reset(c) : client_free(c);
        ck_assert_msg(eventually(5, threads() == before), "%s goes on", paths[i % 2]);
    }
    server_stop();
}
END_TEST

START_TEST(a_half_closed_client_gets_what_takes_no_more_than_a_moment)
{
    server_start("threads", "--mode", "threads", NULL);
    client *quick = client_asking("/sleep?ms=100"), *slow = client_asking("/sleep?ms=60000");
    client_half_close(quick);
    client_half_close(slow);
    ck_assert_int_eq(client_answer(quick).status, 200);
    ck_assert(client_closed(slow));
    client_free(quick);
    client_free(slow);
    server_stop();
}
END_TEST

START_TEST(an_answer_does_not_wait_for_the_next_one)
{
    server_start("threads", "--mode", "threads", NULL);
    client *c = client_new();
    const double before = now_s();
    client_say(c, "GET /json HTTP/1.1\r\nHost: t\r\n\r\nGET /sleep?ms=1000 HTTP/1.1\r\nHost: t\r\n\r\n");
    ck_assert_int_eq(client_answer(c).status, 200);
    ck_assert_double_lt(now_s() - before, 0.9);
    ck_assert_int_eq(client_answer(c).status, 200);
    ck_assert_double_ge(now_s() - before, 1);
    client_free(c);
    server_stop();
}
END_TEST

START_TEST(answers_to_what_was_sent_together_leave_together)
{
    enum { MANY = 16 };
    char all[MANY * 64] = "";
    server_start("threads", "--mode", "threads", NULL);
    for (int i = 0; i < MANY; i++)
        sprintf(all + strlen(all), "POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\n\r\n%02d", i);
    client *c = client_new();
    client_say(c, all);
    for (int i = 0; i < MANY; i++) {
        char number[12];
        sprintf(number, "%02d", i);
        ck_assert_str_eq(client_answer(c).body, number);
    }
    ck_assert_int_eq(client_segments(c), 1);
    client_free(c);
    server_stop();
}
END_TEST

/* Each of these is followed by what its client does not complete, or by what waits for a minute. */
START_TEST(an_answer_leaves_before_its_thread_waits)
{
    static const char *const NEXT[] = {
        "GET /sleep?ms=60000 HTTP/1.1\r\nHost: t\r\n\r\n",
        "GET /sleep/promise?ms=60000 HTTP/1.1\r\nHost: t\r\n\r\n",
        "",
        "GET /json HTT",
        "POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\n\r\nfi",
        "POST /import HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\n\r\nfi",
    };
    server_start("threads", "--mode", "threads", NULL);
    for (size_t i = 0; i < sizeof NEXT / sizeof NEXT[0]; i++) {
        char all[256];
        sprintf(all, "GET /plaintext HTTP/1.1\r\nHost: t\r\n\r\nGET /json HTTP/1.1\r\nHost: t\r\n\r\n%s", NEXT[i]);
        client *c = client_new();
        client_say(c, all);
        ck_assert_str_eq(client_answer(c).body, "Hello, World!");
        ck_assert_int_eq(client_answer(c).status, 200);
        ck_assert_msg(client_quiet(c), "after %s", NEXT[i]);
        client_reset(c);
    }
    server_stop();
}
END_TEST

START_TEST(a_body_that_waits_to_be_asked_for_is_asked_for_behind_earlier_answers)
{
    server_start("threads", "--mode", "threads", NULL);
    client *c = client_new();
    client_say(c, "GET /json HTTP/1.1\r\nHost: t\r\n\r\n"
                  "POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
    ck_assert_int_eq(client_answer(c).status, 200);
    ck_assert_int_eq(client_answer_to_head(c).status, 100);
    client_say(c, "first");
    ck_assert_str_eq(client_answer(c).body, "first");
    client_free(c);
    server_stop();
}
END_TEST

START_TEST(an_error_amid_a_pipeline_is_its_last_answer)
{
    server_start("threads", "--mode", "threads", NULL);
    client *c = client_new();
    client_say(c, "GET /plaintext HTTP/1.1\r\nHost: t\r\n\r\n"
                  "GET /nothing HTTP/1.1\r\nHost: t\r\n\r\n"
                  "GET /json HTTP/1.1\r\n\r\n"
                  "GET /plaintext HTTP/1.1\r\nHost: t\r\n\r\n");
    ck_assert_int_eq(client_answer(c).status, 200);
    ck_assert_int_eq(client_answer(c).status, 404);
    const answer a = client_answer(c);
    ck_assert_int_eq(a.status, 400);
    ck_assert(header_is(&a, "Connection", "close"));
    ck_assert(client_closed(c));
    client_free(c);
    server_stop();
}
END_TEST

START_TEST(a_client_that_sends_many_requests_and_reads_no_answer_is_left)
{
    enum { BODY = 60000, MANY = 500 };       /* more than the kernel stores */
    char head[100], *one = malloc(BODY + sizeof head);
    server_start("threads", "--mode", "threads", "TENK_TIMEOUTS_WRITE=100ms", NULL);
    const int before = threads();
    client *c = client_small(4096);
    const int length = sprintf(one, "POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: %d\r\n\r\n", BODY);
    memset(one + length, 'x', BODY);
    bool sent = true;
    for (int i = 0; i < MANY && sent; i++)
        sent = client_send(c, one, (size_t)length + BODY);
    ck_assert_msg(!sent, "all has been taken");
    ck_assert_msg(eventually(5, threads() == before), "its thread goes on");
    client_free(c);
    free(one);
    server_stop();
}
END_TEST

START_TEST(a_thread_that_computes_delays_no_other)
{
    server_start("threads", "--mode", "threads", NULL);
    client *c = client_asking("/sleep?ms=60000");
    ck_assert_int_eq(get("/users/42?render=inline").status, 200);
    ck_assert(client_quiet(c));
    client_reset(c);
    server_stop();
}
END_TEST

START_TEST(a_stack_that_is_too_small_is_refused_with_the_configuration)
{
    char output[4096];
    ck_assert_int_eq(tenk_run(output, sizeof output, "TENK_THREADS_STACK=16KiB", "-t", NULL), 78);
    ck_assert_msg(strstr(output, "TENK_THREADS_STACK") != NULL, "%s", output);
    server_start("threads", "--mode", "threads", run_slowed() ? "TENK_THREADS_STACK=1MiB" : "TENK_THREADS_STACK=128KiB",
                 NULL);
    expect(get("/users/42"), 200, "text/html");
    expect(get("/static/large.bin"), 200, NULL);
    server_stop();
}
END_TEST

START_TEST(stopping_cuts_off_the_late_and_says_how_many)
{
    server_start("threads", "--mode", "threads", "TENK_TIMEOUTS_DRAIN=200ms", NULL);
    client *a = client_heard("/sleep?ms=60000"), *b = client_heard("/sleep?ms=60000"), *idle = client_new();
    expect(get("/healthz"), 200, NULL);
    const double before = granted_s();
    server_signal(SIGTERM);
    ck_assert_int_eq(server_wait(), 1);
    ck_assert_double_lt(granted_s() - before, run_slowed() ? 10 : 3);
    ck_assert(server_says("2 connections"));
    ck_assert(client_closed(a) && client_closed(b) && client_closed(idle));
    client_free(a);
    client_free(b);
    client_free(idle);
}
END_TEST

Suite *threads_mode_suite(void)
{
    Suite *s = suite_create("threads_mode");
    TCase *t = theme(s, "threads", NULL);
    tcase_add_test(t, the_start_line_says_threads_and_how_many);
    tcase_add_test(t, each_connection_has_a_thread_which_goes_with_it);
    tcase_add_test(t, one_more_than_there_may_be_is_503_and_there_is_room_when_one_leaves);
    tcase_add_test(t, a_client_that_leaves_ends_what_its_thread_waits_for);
    tcase_add_test(t, a_half_closed_client_gets_what_takes_no_more_than_a_moment);
    tcase_add_test(t, an_answer_does_not_wait_for_the_next_one);
    tcase_add_test(t, answers_to_what_was_sent_together_leave_together);
    tcase_add_test(t, an_answer_leaves_before_its_thread_waits);
    tcase_add_test(t, a_body_that_waits_to_be_asked_for_is_asked_for_behind_earlier_answers);
    tcase_add_test(t, an_error_amid_a_pipeline_is_its_last_answer);
    tcase_add_test(t, a_client_that_sends_many_requests_and_reads_no_answer_is_left);
    tcase_add_test(t, a_thread_that_computes_delays_no_other);
    tcase_add_test(t, a_stack_that_is_too_small_is_refused_with_the_configuration);
    tcase_add_test(t, stopping_cuts_off_the_late_and_says_how_many);
    return s;
}
