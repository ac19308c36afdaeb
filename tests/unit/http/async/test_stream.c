/* test_stream.c - a body that its handler pulls: what it gets, when the client is read from, and who waits for it. */
#include "stream_fixture.h"
#include "tests/support/support.h"
#include "tests/unit/suites.h"

START_TEST(the_handler_gets_the_body_however_it_is_framed_and_split)
{
    static const struct { const char *bytes; int more; } WAYS[] = {
        { HEAD("/pull", "Content-Length: 10") "0123456789" NEXT, 1 },
        { HEAD("/pull", "Transfer-Encoding: chunked") "4\r\n0123\r\n1;x=y\r\n4\r\n5\r\n56789\r\n0\r\nT: x\r\n\r\n" NEXT, 1 },
        { HEAD("/whole", "Content-Length: 10") "0123456789" NEXT, 1 },
        { HEAD("/pull", "Content-Length: 10\r\nConnection: close") "0123456789", 0 },
    };
    serve();
    for (size_t i = 0; i < sizeof WAYS / sizeof *WAYS; i++)
        for (size_t split = 1; split < strlen(WAYS[i].bytes); split++) {
            client c = client_new();
            length = 0;
            client_send(&c, (text){ WAYS[i].bytes, split });
            client_say(&c, WAYS[i].bytes + split);
            client_until(&c, "pulled");
            expect_pulled("0123456789");
            ck_assert_int_eq(client_count(&c, "200 OK"), 1 + WAYS[i].more);
            client_close(&c);
        }
    serving_stop();
}
END_TEST

START_TEST(it_starts_with_the_head_and_a_body_that_is_not_there_ends_at_once)
{
    serve();
    client c = client_new();
    client_say(&c, HEAD("/pull", "Content-Length: 3"));
    ck_assert_int_eq(began, 1);
    client_say(&c, "a");
    expect_pulled("a");
    client_say(&c, "bc");
    expect_pulled("abc");
    client_until(&c, "pulled");
    client_say(&c, HEAD("/pull", "Content-Length: 0") HEAD("/pull", "X: y"));
    ck_assert_int_eq(ended, 3);
    ck_assert_int_eq(outcome, UV_EOF);
    client_close(&c);
    serving_stop();
}
END_TEST

START_TEST(a_body_may_be_larger_than_the_limit_of_those_that_are_gathered)
{
    enum { MANY = 300000 };
    char *const many = zeros(MANY);
    serving_config.limits.body = 1000;
    serve();
    client c = client_new();
    memset(many, 'x', MANY);
    client_say(&c, HEAD("/pull", "Content-Length: 300000"));
    ck_assert_uint_eq(client_send(&c, (text){ many, MANY }), MANY);
    client_until(&c, "pulled");
    ck_assert_uint_eq(length, MANY);
    client_close(&c);
    serving_stop();
}
END_TEST

START_TEST(what_the_handler_does_not_take_stays_with_the_client)
{
    enum { MANY = 16 << 20 };
    char *const many = zeros(MANY);
    serve();
    client c = client_new();
    client_say(&c, HEAD("/slow", "Content-Length: 16777216"));
    const size_t sent = client_send(&c, (text){ many, MANY });
    ck_assert_uint_lt(sent, MANY);           /* the kernel's buffers are full, and ours */
    ck_assert_uint_eq(client_send(&c, (text){ many, MANY }), 0);
    for (int i = 0; i < 10; i++)
        let_one_piece();
    ck_assert_uint_gt(length, 10000);
    ck_assert_uint_gt(client_send(&c, (text){ many, MANY }), 0);
    client_close(&c);
    while (gate)
        let_one_piece();
    ck_assert_int_lt(outcome, 0);
    serving_stop();
}
END_TEST

START_TEST(an_expectant_client_is_told_to_continue_when_the_handler_reads)
{
    serve();
    client c = client_new();
    client_say(&c, HEAD("/slow", "Expect: 100-continue\r\nContent-Length: 2"));
    ck_assert_int_eq(began, 1);
    client_read(&c, 1);
    ck_assert_uint_eq(c.length, 0);
    let_one_piece();
    client_until(&c, "100 Continue\r\n\r\n");
    client_say(&c, "hi");
    let_one_piece();
    client_until(&c, "pulled");
    ck_assert_int_eq(client_count(&c, "100 Continue"), 1);
    client_say(&c, HEAD("/pull", "Expect: 100-continue\r\nContent-Length: 2") "hi");
    serving_turns();
    client_until(&c, "pulled");
    ck_assert_int_eq(client_count(&c, "100 Continue"), 1);
    client_close(&c);

    client refused = client_new();           /* and not at all when it does not */
    client_say(&refused, HEAD("/refuse", "Expect: 100-continue\r\nContent-Length: 2"));
    client_until_end(&refused);
    ck_assert_int_eq(client_count(&refused, "HTTP/1.1 415 "), 1);
    ck_assert_int_eq(client_count(&refused, "HTTP/1.1 "), 1);
    client_close(&refused);
    serving_stop();
}
END_TEST

START_TEST(one_that_has_sent_some_or_has_been_told_is_not_told_again)
{
    serve();
    client c = client_new();
    client_say(&c, HEAD("/pull", "Expect: 100-continue\r\nContent-Length: 3") "hi");
    expect_pulled("hi");
    client_say(&c, "!");
    client_until(&c, "pulled");
    ck_assert_int_eq(client_count(&c, "100 Continue"), 0);
    client_say(&c, HEAD("/late", "Expect: 100-continue\r\nContent-Length: 2"));
    client_until(&c, "100 Continue\r\n\r\n");
    serving_skip(1100);                      /* the handler has waited for so long, and waits again */
    ck_assert_int_eq(began, 2);
    client_forget(&c);
    client_say(&c, "ho");
    client_until(&c, "pulled");
    expect_pulled("hi!ho");
    ck_assert_int_eq(client_count(&c, "100 Continue"), 0);
    client_close(&c);
    serving_stop();
}
END_TEST

START_TEST(requests_behind_it_wait)
{
    serve();
    client c = client_new();
    client_say(&c, HEAD("/slow", "Content-Length: 3") "abc" HEAD("/pull", "Content-Length: 3") "def" NEXT);
    ck_assert_int_eq(began, 1);
    let_one_piece();
    expect_pulled("abc");
    ck_assert_int_eq(began, 1);
    let_one_piece();
    client_until(&c, "pulled");
    expect_pulled("abcdef");
    ck_assert_int_eq(began, 3);
    client_close(&c);
    serving_stop();
}
END_TEST

START_TEST(one_behind_a_slow_request_waits_with_its_body)
{
    serve();
    client c = client_new();
    client_say(&c, HEAD("/slow", "Content-Length: 0") HEAD("/slow", "Content-Length: 6") "abc");
    ck_assert_int_eq(began, 1);
    client_say(&c, "def");
    let_one_piece();
    ck_assert_int_eq(began, 2);
    while (gate)
        let_one_piece();
    expect_pulled("abcdef");
    client_close(&c);
    serving_stop();
}
END_TEST

Suite *stream_suite(void)
{
    Suite *s = suite_create("stream");
    TCase *t = tcase_create("all");
    tcase_add_test(t, the_handler_gets_the_body_however_it_is_framed_and_split);
    tcase_add_test(t, it_starts_with_the_head_and_a_body_that_is_not_there_ends_at_once);
    tcase_add_test(t, a_body_may_be_larger_than_the_limit_of_those_that_are_gathered);
    tcase_add_test(t, what_the_handler_does_not_take_stays_with_the_client);
    tcase_add_test(t, an_expectant_client_is_told_to_continue_when_the_handler_reads);
    tcase_add_test(t, one_that_has_sent_some_or_has_been_told_is_not_told_again);
    tcase_add_test(t, requests_behind_it_wait);
    tcase_add_test(t, one_behind_a_slow_request_waits_with_its_body);
    suite_add_tcase(s, t);
    return s;
}
