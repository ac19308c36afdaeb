/* test_body.c - bodies of both framings, their bounds, and every way in which they can be split. */
#include "server/http/message/body.h"
#include "server/http/message/status.h"

#include "tests/unit/suites.h"

#include <stdio.h>

static arena a;
static int   refused;

static body *begin_up_to(size_t limit, const char *head_bytes)
{
    static head h;
    const head_limits limits = { 1000, 1000, HEAD_MAX_HEADERS };
    head_scanner s = { 0 };
    arena_init(&a, NULL, 0);
    ck_assert_int_eq(head_scan(&s, head_bytes, strlen(head_bytes), &limits, &h), (long)strlen(head_bytes));
    ck_assert_int_eq(head_read(&h), 0);
    return body_new(&a, &h, limit, 40, &refused);
}

static body *begin(const char *head_bytes) { return begin_up_to(20, head_bytes); }

#define CHUNKED "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
#define LENGTH(n) "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " n "\r\n\r\n"

/* Feeds bytes in steps; returns what the last body_take said, and how many were taken. */
static long feed(body *b, const char *bytes, size_t length, size_t step, size_t *taken)
{
    long said = 0;
    for (*taken = 0; *taken < length && !b->complete;) {
        said = body_take(b, bytes + *taken, length - *taken < step ? length - *taken : step);
        if (said <= 0)
            return said;
        *taken += (size_t)said;
    }
    return said;
}

static void gives(const char *head_bytes, const char *bytes, size_t taken, const char *content)
{
    for (size_t step = 1; step <= strlen(bytes); step++) {
        size_t used;
        body *b = begin(head_bytes);
        ck_assert_msg(feed(b, bytes, strlen(bytes), step, &used) > 0, "%s by %zu", bytes, step);
        ck_assert_msg(b->complete, "%s by %zu", bytes, step);
        ck_assert_uint_eq(used, taken);
        ck_assert(text_equal((text){ b->at, b->length }, text_of(content)));
        arena_done(&a);
    }
}

static void fails(const char *head_bytes, const char *bytes, int err)
{
    for (size_t step = 1; step <= strlen(bytes); step++) {
        size_t used;
        body *b = begin(head_bytes);
        const long said = feed(b, bytes, strlen(bytes), step, &used);
        ck_assert_msg(said == err, "%s by %zu: %ld", bytes, step, said);
        arena_done(&a);
    }
}

START_TEST(a_body_ends_with_its_last_byte_however_it_is_split)
{
    gives(LENGTH("5"), "helloGET / HTTP/1.1\r\n", 5, "hello");
    gives(CHUNKED, "5\r\nhello\r\n0\r\n\r\nGET", 15, "hello");
    gives(CHUNKED, "3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n", 20, "hello");
    gives(CHUNKED, "5;a;b = \"c;d\" ;e\r\nhello\r\n0 ; f\r\n\r\nGET", 34, "hello");
    gives(CHUNKED, "00A\r\n0123456789\r\na;x=y\r\n0123456789\r\n0\r\nT: x\r\n\r\n", 47, "01234567890123456789");
    gives("POST / HTTP/1.1\r\nHost: a\r\nUpgrade: x\r\nConnection: upgrade\r\nContent-Length: 2\r\n\r\n", "abGET", 2, "ab");
    gives("POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 2\r\n\r\n", "abGET", 2, "ab");
}
END_TEST

START_TEST(a_body_may_be_as_long_as_its_limit_and_no_longer)
{
    gives(LENGTH("20"), "01234567890123456789", 20, "01234567890123456789");
    ck_assert_ptr_null(begin(LENGTH("21")));
    ck_assert_int_eq(refused, HTTP_STATUS(413));
    fails(CHUNKED, "14\r\n01234567890123456789\r\n1\r\nx\r\n0\r\n\r\n", HTTP_STATUS(413));
    ck_assert_ptr_null(begin(LENGTH("18446744073709551615")));
    fails(CHUNKED, "5\r\nhello\r\n10", HTTP_STATUS(413));     /* at once: none of it needs to come */
    fails(CHUNKED, "FFFFFFFFFFFFFFFF", HTTP_STATUS(413));
    fails(CHUNKED, "100000005", HTTP_STATUS(413));
}
END_TEST

START_TEST(bad_framing_is_400)
{
    static const char *const BAD[] = { "x\r\n", "-1\r\n", "0x1\r\n", "5\nhello\r\n", "1\r\nab\r\n", "1\r\na\nb", "1\r\na\rb",
                                       "5;a\nb\r\n", "\r\n", " 5\r\nhello\r\n", "0\r\nT\n\r\n",
                                       "0\r\n\rx",
                                       "1 \r\na\r\n", "+1\r\na\r\n", "1\ra\r\n", "1;a=\x01\r\na\r\n", "1\r\naX\r\n",
                                       "0\r\nX : y\r\n\r\n", "0\r\n X: y\r\n\r\n", "0\r\nX: a\r\n b\r\n\r\n",
                                       "0\r\nX: a\nY: b\r\n\r\n", "0\r\nX: a\rY: b\r\n\r\n", "0\r\nX: \1\r\n\r\n",
                                       "0\r\n: y\r\n\r\n", "0\r\nX\r\n\r\n", "0\r\nX: y\r\n\n" };
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        fails(CHUNKED, BAD[i], HTTP_STATUS(400));
}
END_TEST

START_TEST(what_is_not_content_is_bounded)
{
    fails(CHUNKED, "1;aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", HTTP_STATUS(431));
    fails(CHUNKED, "0\r\nT: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", HTTP_STATUS(431));
    gives(CHUNKED, "1\r\na\r\n1\r\na\r\n1\r\na\r\n1\r\na\r\n1\r\na\r\n"
                   "1\r\na\r\n1\r\na\r\n1\r\na\r\n1\r\na\r\n1\r\na\r\n0\r\n\r\n", 65, "aaaaaaaaaa");
}
END_TEST

START_TEST(there_is_room_for_each_byte_that_comes)
{
    enum { MANY = 20000 };
    body *b = begin_up_to(MANY, LENGTH("20000"));
    for (int i = 0; i < MANY; i++)
        ck_assert_int_eq(body_take(b, &(char){ (char)(i % 251) }, 1), 1);
    ck_assert(b->complete && b->length == MANY);
    for (int i = 0; i < MANY; i++)
        ck_assert_int_eq(b->at[i], (char)(i % 251));
    arena_done(&a);
}
END_TEST

START_TEST(of_a_stream_a_piece_is_taken_at_a_time)
{
    static char many[3 * BODY_PIECE];
    body *b = begin_up_to(BODY_STREAMS, LENGTH("200000"));
    ck_assert_int_eq(body_take(b, many, sizeof many), BODY_PIECE);
    ck_assert(b->length == BODY_PIECE && !body_wants(b) && !b->complete);
    body_drop(b);
    ck_assert(body_wants(b));
    ck_assert_int_eq(body_take(b, many, 1000), 1000);        /* what there is */
    ck_assert(b->length == 1000 && !body_wants(b));
    arena_done(&a);
}
END_TEST

Suite *body_suite(void)
{
    Suite *s = suite_create("body");
    TCase *t = tcase_create("all");
    tcase_add_test(t, a_body_ends_with_its_last_byte_however_it_is_split);
    tcase_add_test(t, a_body_may_be_as_long_as_its_limit_and_no_longer);
    tcase_add_test(t, bad_framing_is_400);
    tcase_add_test(t, what_is_not_content_is_bounded);
    tcase_add_test(t, there_is_room_for_each_byte_that_comes);
    tcase_add_test(t, of_a_stream_a_piece_is_taken_at_a_time);
    suite_add_tcase(s, t);
    return s;
}
