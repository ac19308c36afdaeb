/* test_compression.c - answers that are compressed as they are made: what is sent in which coding, and what as it is. */
#include "server/http/compression.h"
#include "server/executor/executor.h"
#include "server/executor/thread_pool.h"
#include "serving.h"
#include "tests/support/support.h"
#include "tests/unit/suites.h"

#include <brotli/decode.h>
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>
#include <zlib.h>

enum { USUAL = 8000, LARGE = COMPRESSION_HEAVY, HUGE_ = COMPRESSION_MOST + 1 };

static char *words, noise[USUAL];

static int answer_words(request *req)
{
    int64_t length = USUAL;
    const int err = request_query_int(req, "length", &length);
    return err ? err : respond_compressed(req, "text/plain", (text){ words, (size_t)length });
}

static int answer_noise(request *req) { return respond_compressed(req, "text/plain", (text){ noise, sizeof noise }); }

static const route ROUTES_HERE[] = { { "GET", "/words", .await = answer_words }, { "GET", "/noise", .await = answer_noise } };

static void setup(void)
{
    uint32_t n = 1;
    words = zeros(HUGE_);
    for (size_t i = 0; i < HUGE_; i++)
        words[i] = "the quick brown fox jumps over a lazy dog; "[(i + i / 997) % 43];
    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (char)((n = n * 1664525 + 1013904223) >> 24);
    serving_start(ROUTES_HERE, 2);
}

static void teardown(void) { serving_stop(); }

static client client_asking(const char *method, const char *target, const char *headers)
{
    char request[1000];
    client c = client_new();
    snprintf(request, sizeof request, "%s %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n%s\r\n", method, target, headers);
    client_say(&c, request);
    client_until_end(&c);
    return c;
}

/* What an answer's body is in that coding; how many bytes. */
static size_t decode(const client *c, const char *coding, char *to, size_t room)
{
    const char *const body = strstr(c->got, "\r\n\r\n") + 4;
    const size_t length = c->length - (size_t)(body - c->got);
    if (strcmp(coding, "br") == 0) {
        ck_assert_int_eq(BrotliDecoderDecompress(length, (const uint8_t *)body, &room, (uint8_t *)to),
                         BROTLI_DECODER_RESULT_SUCCESS);
        return room;
    }
    z_stream z = { .next_in = (Bytef *)body, .avail_in = (uInt)length, .next_out = (Bytef *)to, .avail_out = (uInt)room };
    ck_assert_int_eq(inflateInit2(&z, 15 + 16), Z_OK);
    ck_assert_int_eq(inflate(&z, Z_FINISH), Z_STREAM_END);
    inflateEnd(&z);
    return z.total_out;
}

/* The words of that length come in that coding, NULL: as they are. */
static void expect_words(size_t length, const char *accept, const char *coding)
{
    char *const decoded = zeros(HUGE_);
    char target[64], headers[200], line[64];
    snprintf(target, sizeof target, "/words?length=%zu", length);
    snprintf(headers, sizeof headers, "Accept-Encoding: %s\r\n", accept);
    client c = client_asking("GET", target, headers);
    ck_assert_msg(strncmp(c.got, "HTTP/1.1 200", 12) == 0, "%s: %.500s", accept, c.got);
    ck_assert_msg(client_count(&c, "\r\nVary: Accept-Encoding\r\n") == 1, "%.500s", c.got);
    snprintf(line, sizeof line, "\r\nContent-Encoding: %s\r\n", coding);
    ck_assert_msg(client_count(&c, coding ? line : "Content-Encoding") == (coding != NULL), "%zu, %s: %.500s", length, accept,
                  c.got);
    const char *const body = strstr(c.got, "\r\n\r\n") + 4;
    snprintf(line, sizeof line, "\r\nContent-Length: %zu\r\n", c.length - (size_t)(body - c.got));
    ck_assert_msg(client_count(&c, line) == 1, "%.500s", c.got);
    if (coding) {
        ck_assert_uint_lt(c.length - (size_t)(body - c.got), length);
        ck_assert_uint_eq(decode(&c, coding, decoded, HUGE_), length);
        ck_assert(memcmp(decoded, words, length) == 0);
    } else {
        ck_assert_uint_eq(c.length - (size_t)(body - c.got), length);
        ck_assert(memcmp(body, words, length) == 0);
    }
    client_close(&c);
}

START_TEST(a_body_comes_in_the_coding_that_the_client_likes_best)
{
    expect_words(USUAL, "gzip, br", "br");
    expect_words(USUAL, "gzip", "gzip");
    expect_words(USUAL, "gzip, br;q=0.5", "gzip");
    expect_words(USUAL, "br;q=0, *", "gzip");
    expect_words(USUAL, "", NULL);
    expect_words(USUAL, "deflate, zstd", NULL);
    expect_words(USUAL, "gzip;q=0, br;q=0, identity;q=0", NULL);
    for (size_t length = COMPRESSION_LEAST; length < 3 * COMPRESSION_LEAST; length += 137) {
        expect_words(length, "br", "br");
        expect_words(length, "gzip", "gzip");
    }
}
END_TEST

START_TEST(what_is_large_is_compressed_in_the_thread_pool_and_what_is_huge_not_at_all)
{
    expect_words(LARGE - 1, "br", "br");
    expect_words(LARGE, "br", "br");
    expect_words(300000, "gzip", "gzip");
    expect_words(COMPRESSION_MOST, "br", "br");
    expect_words(COMPRESSION_MOST + 1, "br", NULL);
}
END_TEST

START_TEST(what_is_small_goes_as_it_is_unless_the_client_refuses_that)
{
    expect_words(COMPRESSION_LEAST - 1, "gzip, br", NULL);
    expect_words(0, "gzip, br, identity;q=0", NULL);
    expect_words(COMPRESSION_LEAST - 1, "gzip, identity;q=0", "gzip");
    expect_words(100, "br, *;q=0", "br");
}
END_TEST

START_TEST(what_does_not_get_smaller_goes_as_it_is)
{
    static const char *const CODINGS_HERE[] = { "br", "gzip" };
    for (int i = 0; i < 2; i++) {
        char headers[64];
        snprintf(headers, sizeof headers, "Accept-Encoding: %s\r\n", CODINGS_HERE[i]);
        client c = client_asking("GET", "/noise", headers);
        ck_assert_msg(client_count(&c, "Content-Encoding") == 0 && client_count(&c, "\r\nVary: Accept-Encoding\r\n") == 1 &&
                          client_count(&c, "\r\nContent-Length: 8000\r\n") == 1, "%.500s", c.got);
        client_close(&c);
    }
}
END_TEST

START_TEST(head_says_what_get_would)
{
    client whole = client_asking("GET", "/words", "Accept-Encoding: br\r\n");
    client head = client_asking("HEAD", "/words", "Accept-Encoding: br\r\n");
    const size_t length = (size_t)(strstr(whole.got, "\r\n\r\n") + 4 - whole.got);
    const char *const names[] = { "Content-Length: ", "Content-Encoding: ", "ETag: ", "Vary: " };
    ck_assert_uint_eq(head.length, (size_t)(strstr(head.got, "\r\n\r\n") + 4 - head.got));
    ck_assert_uint_gt(whole.length, length);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *const a = strstr(whole.got, names[i]), *const b = strstr(head.got, names[i]);
        ck_assert(a && b && strncmp(a, b, strcspn(a, "\r") + 1) == 0);
    }
    client_close(&whole);
    client_close(&head);
}
END_TEST

static void tag_of(const char *accept, char tag[64])
{
    char headers[200];
    snprintf(headers, sizeof headers, "Accept-Encoding: %s\r\n", accept);
    client c = client_asking("GET", "/words", headers);
    ck_assert_int_eq(sscanf(strstr(c.got, "ETag: "), "ETag: %63s", tag), 1);
    client_close(&c);
}

static void expect_status(const char *accept, const char *condition, const char *tag, int status)
{
    char headers[300];
    snprintf(headers, sizeof headers, "Accept-Encoding: %s\r\n%s: %s\r\n", accept, condition, tag);
    client c = client_asking("GET", "/words", headers);
    ck_assert_msg(atoi(c.got + 9) == status, "%s: %.300s", headers, c.got);
    ck_assert_int_eq(client_count(&c, "Content-Encoding"), status == 200 && strcmp(accept, "identity") != 0);
    ck_assert(client_count(&c, "\r\nVary: Accept-Encoding\r\n") == 1);
    client_close(&c);
}

START_TEST(each_coding_has_a_strong_tag_of_its_own)
{
    char plain[64], gzip[64], br[64];
    tag_of("identity", plain);
    tag_of("gzip", gzip);
    tag_of("br", br);
    ck_assert(plain[0] == '"' && gzip[0] == '"' && br[0] == '"');
    ck_assert(strcmp(plain, gzip) != 0 && strcmp(plain, br) != 0 && strcmp(gzip, br) != 0);
    expect_status("br", "If-None-Match", br, 304);
    expect_status("br", "If-None-Match", gzip, 200);
    expect_status("identity", "If-None-Match", plain, 304);
    expect_status("gzip", "If-Match", gzip, 200);
    expect_status("gzip", "If-Match", plain, 412);
}
END_TEST

static uv_sem_t stop;

static int wait_in_pool(void *arg)
{
    (void)arg;
    uv_sem_wait(&stop);
    return 0;
}

static void on_settled(int err, void *settled) { *(bool *)settled = err == 0; }

START_TEST(while_the_thread_pool_takes_no_more_large_bodies_go_as_they_are)
{
    bool settled = false;
    executor_add("cpu", 1, 0);
    uv_sem_init(&stop, 0);
    when_settled(in_thread(wait_in_pool, NULL), on_settled, &settled);
    expect_words(LARGE, "br", NULL);
    expect_words(LARGE - 1, "br", "br");
    uv_sem_post(&stop);
    while (!settled)
        serving_turn();
    expect_words(LARGE, "br", "br");
    uv_sem_destroy(&stop);
}
END_TEST

Suite *compression_suite(void)
{
    Suite *s = suite_create("compression");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, a_body_comes_in_the_coding_that_the_client_likes_best);
    tcase_add_test(t, what_is_large_is_compressed_in_the_thread_pool_and_what_is_huge_not_at_all);
    tcase_add_test(t, what_is_small_goes_as_it_is_unless_the_client_refuses_that);
    tcase_add_test(t, what_does_not_get_smaller_goes_as_it_is);
    tcase_add_test(t, head_says_what_get_would);
    tcase_add_test(t, each_coding_has_a_strong_tag_of_its_own);
    tcase_add_test(t, while_the_thread_pool_takes_no_more_large_bodies_go_as_they_are);
    suite_add_tcase(s, t);
    return s;
}
