/* test_connection.c - a worker's connections: reading requests, how many there may be, and how long one waits. */
#include "connection_fixture.h"
#include "server/http/async/worker.h"
#include "server/base/log.h"
#include "tests/unit/http/serving.h"
#include "tests/unit/suites.h"

#include <sys/resource.h>
#include <sys/socket.h>

START_TEST(a_request_is_answered_however_it_is_split)
{
    static const char REQUEST[] = POST("/echo", "5", "12345") GET("/");
    serve();
    for (size_t i = 1; i < sizeof REQUEST - 1; i++) {
        client c = client_new();
        client_send(&c, (text){ REQUEST, i });
        client_send(&c, (text){ REQUEST + i, sizeof REQUEST - 1 - i });
        client_until(&c, "Hello!");
        ck_assert_int_eq(client_count(&c, "HTTP/1.1 200 OK"), 2);
        ck_assert_int_eq(client_count(&c, "\r\n\r\n12345HTTP"), 1);
        client_close(&c);
    }
    serving_stop();
}
END_TEST

START_TEST(a_request_is_answered_when_it_comes_byte_by_byte)
{
    static const char REQUEST[] = GET("/") POST("/echo", "5", "12345") GET("/call");
    serve();
    client c = client_new();
    for (size_t i = 0; i < sizeof REQUEST - 1; i++)
        client_send(&c, (text){ REQUEST + i, 1 });
    client_until(&c, "called");
    ck_assert_int_eq(client_count(&c, "200 OK"), 3);
    client_close(&c);
    serving_stop();
}
END_TEST

START_TEST(a_large_head_leaves_the_stack_to_its_handler)
{
    static char words[70000];
    serving_config.limits.head = 63 * 1024;
    serve();
    client c = client_new();
    char *at = words + sprintf(words, "GET /measure HTTP/1.1\r\nHost: a\r\n");
    for (int i = 0; i < 62; i++)
        at += sprintf(at, "X-%02d: %01000d\r\n", i, i);
    strcpy(at, "\r\n");
    client_say(&c, words);
    client_until(&c, "deep");
    client_close(&c);
    serving_stop();
}
END_TEST

START_TEST(json_that_is_nested_deeper_than_a_stack_is_refused)
{
    static char words[6000];
    char *at = words + sprintf(words, "POST /users/1/posts HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
                                      "Content-Length: 4000\r\n\r\n[\"\\\"]]]\",");
    serve();
    client c = client_new();
    memset(at, '[', 3991);
    client_say(&c, words);
    client_until(&c, "HTTP/1.1 400 ");
    client_close(&c);
    serving_stop();
}
END_TEST

/* It waits in the kernel, and the loop does not turn in vain meanwhile. */
START_TEST(who_comes_when_the_process_has_no_descriptor_left_is_served_later)
{
    struct rlimit usual, none;
    serve();
    client c = client_connecting();
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &usual), 0);
    none = (struct rlimit){ .rlim_cur = 3, .rlim_max = usual.rlim_max };
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
    log_set_level(LOG_ERROR);
    serving_turns();
    ck_assert_int_eq(serving_connections(), 0);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &usual), 0);
    serving_turns();
    ck_assert_int_eq(serving_connections(), 0);
    serving_skip(101);
    ck_assert_int_eq(serving_connections(), 1);
    client_say(&c, GET("/"));
    client_until(&c, "Hello!");
    client_close(&c);
    serving_stop();
}
END_TEST

START_TEST(one_connection_too_many_gets_503)
{
    serving_config.limits.connections = 1;
    serve();
    client first = client_new(), second = client_new();
    client_until_end(&second);
    ck_assert_int_eq(client_count(&second, "HTTP/1.1 503 "), 1);
    client_say(&first, GET("/"));
    client_until(&first, "Hello!");
    client_close(&second);
    client_close(&first);
    serving_stop();
}
END_TEST

START_TEST(each_wait_for_the_client_has_its_limit)
{
    serve();
    client idle = client_new(), head = client_new(), body = client_new(), mute = client_new();
    client_say(&idle, GET("/"));
    client_until(&idle, "Hello!");
    client_forget(&idle);
    client_say(&head, "GET / HTTP/1.1\r\n");
    client_say(&body, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n123");
    serving_skip(serving_config.timeouts.head + 10);
    client_until_end(&head);
    ck_assert_int_eq(client_count(&head, "HTTP/1.1 408 "), 1);
    client_close(&head);
    client_until_end(&mute);                 /* it has as long for its first byte */
    ck_assert_uint_eq(mute.length, 0);
    client_close(&mute);
    ck_assert_int_eq(serving_connections(), 2);
    serving_skip(serving_config.timeouts.body - serving_config.timeouts.head + 10);
    client_until_end(&body);
    ck_assert_int_eq(client_count(&body, "HTTP/1.1 408 "), 1);
    client_close(&body);
    ck_assert_int_eq(serving_connections(), 1);
    serving_skip(serving_config.timeouts.idle);
    client_until_end(&idle);
    ck_assert_uint_eq(idle.length, 0);
    client_close(&idle);
    serving_stop();
}
END_TEST

START_TEST(the_next_head_has_its_time_anew)
{
    serve();
    client c = client_new();
    client_say(&c, "GET / HTTP/1.1\r\n");
    serving_skip(serving_config.timeouts.head * 2 / 3);
    client_say(&c, "Host: a\r\n\r\nGET / HTTP/1.1\r\n");
    client_until(&c, "Hello!");
    client_forget(&c);
    serving_skip(serving_config.timeouts.head * 2 / 3);
    client_say(&c, "Host: a\r\n\r\n");
    client_until(&c, "Hello!");
    client_close(&c);
    serving_stop();
}
END_TEST

START_TEST(a_limit_counts_from_when_its_wait_begins_however_long_a_handler_has_computed)
{
    serve();
    client c = client_new();
    client_say(&c, GET("/compute"));
    client_until(&c, "computed");
    serving_skip(serving_config.timeouts.idle - 500);
    ck_assert_int_eq(serving_connections(), 1);
    serving_skip(510);
    client_until_end(&c);
    client_close(&c);
    serving_stop();
}
END_TEST

Suite *connection_suite(void)
{
    Suite *s = suite_create("connection");
    TCase *t = tcase_create("all");
    tcase_add_test(t, a_request_is_answered_however_it_is_split);
    tcase_add_test(t, a_request_is_answered_when_it_comes_byte_by_byte);
    tcase_add_test(t, a_large_head_leaves_the_stack_to_its_handler);
    tcase_add_test(t, json_that_is_nested_deeper_than_a_stack_is_refused);
#ifndef USE_VALGRIND /* it enforces the limit itself: by closing what the kernel has accepted */
    tcase_add_test(t, who_comes_when_the_process_has_no_descriptor_left_is_served_later);
#else
    (void)who_comes_when_the_process_has_no_descriptor_left_is_served_later;
#endif
    tcase_add_test(t, one_connection_too_many_gets_503);
    tcase_add_test(t, each_wait_for_the_client_has_its_limit);
    tcase_add_test(t, the_next_head_has_its_time_anew);
    tcase_add_test(t, a_limit_counts_from_when_its_wait_begins_however_long_a_handler_has_computed);
    suite_add_tcase(s, t);
    return s;
}
