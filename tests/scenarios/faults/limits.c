/* limits.c - what is too long, too large or too many is refused, and what is just within the limits
 * is not. */
#include "tests/scenarios/support/refusal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void with_limits(void) { server_start("limits", "TENK_LIMITS_BODY=64KiB", NULL); }

START_TEST(what_surrounds_chunks_is_bounded)
{
    char *all = malloc(1 << 20), *at;
    at = all + sprintf(all, "%s", CHUNKED "1;");             /* one endless extension */
    memset(at, 'x', 200000);
    refused(all, (size_t)(at - all) + 200000, 431, 400);

    at = all + sprintf(all, "%s", CHUNKED "1\r\na\r\n0\r\nX: ");     /* one endless trailer */
    memset(at, 'x', 200000);
    refused(all, (size_t)(at - all) + 200000, 431, 400);

    at = all + sprintf(all, "%s", CHUNKED "1\r\na\r\n0\r\n");        /* very many trailers */
    for (int i = 0; i < 20000; i++)
        at += sprintf(at, "X%d: y\r\n", i);
    refused(all, (size_t)(at - all), 431, 400);

    at = all + sprintf(all, "%s", CHUNKED);                          /* a long extension on each byte */
    for (int i = 0; i < 2000; i++)
        at += sprintf(at, "1;%0200d\r\na\r\n", i);
    refused(all, (size_t)(at - all), 431, 400);
    free(all);
}
END_TEST

START_TEST(what_is_too_long_is_refused_for_that)
{
    char *all = malloc(1 << 20), *at;
    at = all + sprintf(all, "GET /");                        /* URI 414 */
    memset(at, 'a', 9000);
    at += 9000;
    at += sprintf(at, " HTTP/1.1\r\n" H "\r\n");
    refused(all, (size_t)(at - all), 414, 414);

    at = all + sprintf(all, "GET /");                        /* a URI without end */
    memset(at, 'a', 300000);
    refused(all, (size_t)(at - all) + 300000, 414, 414);

    at = all + sprintf(all, "GET / HTTP/1.1\r\n" H "X: ");   /* head 431 */
    memset(at, 'a', 17000);
    at += 17000;
    at += sprintf(at, "\r\n\r\n");
    refused(all, (size_t)(at - all), 431, 431);

    at = all + sprintf(all, "GET / HTTP/1.1\r\n" H "X: ");   /* a head without end */
    memset(at, 'a', 300000);
    refused(all, (size_t)(at - all) + 300000, 431, 431);

    at = all + sprintf(all, "GET / HTTP/1.1\r\n" H);         /* a name without end */
    memset(at, 'a', 300000);
    refused(all, (size_t)(at - all) + 300000, 431, 431);

    at = all + sprintf(all, "GET / HTTP/1.1\r\n" H);         /* 431 for their number: 101 */
    for (int i = 0; i < 100; i++)
        at += sprintf(at, "X%d: y\r\n", i);
    at += sprintf(at, "\r\n");
    refused(all, (size_t)(at - all), 431, 431);

    for (at = all; at < all + 40000; at += 2)                /* empty lines without end */
        memcpy(at, "\r\n", 2);
    client *c = client_new();
    client_send(c, all, 40000);
    const int status = client_answer(c).status;
    ck_assert_msg(status == 400 || status == 431, "20,000 empty lines: %d", status);
    client_free(c);
    free(all);
}
END_TEST

START_TEST(exactly_at_the_limits_all_is_well)
{
    char *all = malloc(1 << 16), *at;
    at = all + sprintf(all, "GET /json?");                   /* a URI of 8 KiB */
    memset(at, 'a', 8192 - 6);
    at += 8192 - 6;
    at += sprintf(at, " HTTP/1.1\r\n" H "Connection: close\r\n\r\n");
    ck_assert_int_eq(ask_bytes(all, (size_t)(at - all)).status, 200);

    at = all + sprintf(all, "GET /json HTTP/1.1\r\n" H "Connection: close\r\n");     /* 100 headers */
    for (int i = 0; i < 98; i++)
        at += sprintf(at, "X%d: y\r\n", i);
    at += sprintf(at, "\r\n");
    ck_assert_int_eq(ask_bytes(all, (size_t)(at - all)).status, 200);

    at = all +
         sprintf(all, "GET /json HTTP/1.1\r\n" H "Connection: close\r\nX: "); /* a head of 16 KiB */
    const size_t left = 16384 - (size_t)(at - all) - 4;
    memset(at, 'a', left);
    at += left;
    at += sprintf(at, "\r\n\r\n");
    ck_assert_uint_eq((size_t)(at - all), 16384);
    ck_assert_int_eq(ask_bytes(all, (size_t)(at - all)).status, 200);
    free(all);
}
END_TEST

START_TEST(a_body_that_is_announced_too_large_is_refused_unseen)
{
    REFUSED("POST /echo HTTP/1.1\r\n" H "Content-Length: 65537\r\n\r\n", 413);
    REFUSED("POST /nothing HTTP/1.1\r\n" H "Content-Length: 65537\r\n\r\n", 413);
}
END_TEST

START_TEST(a_refusal_reaches_a_client_that_is_still_sending)
{
    char *much = malloc(8 << 20);
    memset(much, 'x', 8 << 20);
    const int head = sprintf(much, "POST /echo HTTP/1.1\r\n" H "Content-Length: %d\r\n\r\n", 8 << 20);
    much[head] = 'x';
    for (int i = 0; i < 10; i++) {
        client *c = client_new();
        client_send(c, much, 8 << 20);
        const answer a = client_answer(c);
        ck_assert_msg(a.status == 413, "answered %d: the answer was lost", a.status);
        client_free(c);
    }
    free(much);
}
END_TEST

Suite *limits_suite(void)
{
    Suite *s = suite_create("limits");
    TCase *t = theme(s, "limits", with_limits);
    tcase_add_test(t, what_surrounds_chunks_is_bounded);
    tcase_add_test(t, what_is_too_long_is_refused_for_that);
    tcase_add_test(t, exactly_at_the_limits_all_is_well);
    tcase_add_test(t, a_body_that_is_announced_too_large_is_refused_unseen);
    tcase_add_test(t, a_refusal_reaches_a_client_that_is_still_sending);
    return s;
}
