/* http_arena.c - the routes of HttpArena that need no database, by the rules of its validate.sh; and what it does not ask. */
#include "tests/scenarios/scenarios.h"

#include "tests/scenarios/support/items.h"

#include <brotli/decode.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void with_routes(void) { server_start("http-arena", NULL); }

static void expect_text(answer a, const char *body)
{
    expect(a, 200, "text/plain");
    ck_assert_str_eq(a.body, body);
}

static answer post_number(const char *body) { return post("/baseline11?a=13&b=42", "text/plain", body); }

START_TEST(baseline_adds_what_is_in_the_query_and_in_the_body)
{
    char path[64], sum[32];
    expect_text(get("/baseline11?a=13&b=42"), "55");
    expect_text(post_number("20"), "75");
    expect_text(post_number(" -56\r\n"), "-1");
    expect_text(ask("POST /baseline11?a=13&b=42 HTTP/1.1\r\nHost: t\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
                    "1\r\n2\r\n1\r\n0\r\n0\r\n\r\n"), "75");
    for (int i = 0; i < 5; i++) {
        const int a = 100 + rand() % 900, b = 100 + rand() % 900;
        snprintf(path, sizeof path, "/baseline11?b=%d&a=%d", b, a);
        snprintf(sum, sizeof sum, "%d", a + b);
        expect_text(get(path), sum);
    }
    expect_text(get("/baseline11?a=9223372036854775807&b=-9223372036854775807"), "0");
    expect_problem(get("/baseline11?a=9223372036854775807&b=1"), 400);
    expect_problem(get("/baseline11?a=1"), 400);
    expect_problem(get("/baseline11?a=1&b=x"), 400);
    expect_problem(post_number("twenty"), 400);
    expect_problem(post_number(""), 400);
}
END_TEST

/* As slow networks do it: the server sees each part by itself. */
START_TEST(baseline_understands_requests_that_come_in_pieces)
{
    static const char *const PIECES[][4] = {
        { "GET /baseli", "ne11?a=13&b=42 HTTP/1.1\r\n", "Host: t\r\nConnection: close\r\n\r\n" },
        { "GET /baseline11?a=13&b=42 HTTP/1.1\r\n", "Host: t\r\n", "User-Agent: t\r\n", "Connection: close\r\n\r\n" },
        { "POST /baseline11?a=13&b=42 HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\nConnection: close\r\n\r\n", "20" },
        { "POST /baseline11?a=13&b=42 HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\nConnection: close\r\n\r\n", "2", "0" },
    };
    for (int i = 0; i < 4; i++) {
        client *c = client_new();
        for (int k = 0; k < 4 && PIECES[i][k]; k++) {
            client_say(c, PIECES[i][k]);
            pause_ms(2);                     /* likely to be read alone; it matters to nothing else */
        }
        expect_text(client_answer(c), i < 2 ? "55" : "75");
        ck_assert(client_closed(c));
        client_free(c);
    }
}
END_TEST

START_TEST(connections_of_ten_requests_of_three_kinds_come_and_go)
{
    static const char *const REQUESTS[] = {
        "GET /baseline11?a=13&b=42 HTTP/1.1\r\nHost: t\r\n\r\n",
        "POST /baseline11?a=13&b=42 HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\n\r\n20",
        "POST /baseline11?a=13&b=42 HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n20\r\n0\r\n\r\n",
    };
    for (int connection = 0; connection < 6; connection++) {
        client *c = client_new();
        for (int i = 0; i < 10; i++) {
            client_say(c, REQUESTS[i % 3]);
            expect_text(client_answer(c), i % 3 ? "75" : "55");
        }
        client_free(c);
    }
}
END_TEST

START_TEST(sixteen_pipelined_requests_get_sixteen_answers)
{
    enum { DEPTH = 16 };
    char all[DEPTH * 64] = "";
    client *c = client_new();
    for (int i = 0; i < DEPTH; i++)
        strcat(all, "GET /pipeline HTTP/1.1\r\nHost: t\r\n\r\n");
    for (int round = 0; round < 3; round++) {
        client_say(c, all);
        for (int i = 0; i < DEPTH; i++)
            expect_text(client_answer(c), "ok");
    }
    client_free(c);
}
END_TEST

static void expect_totals(answer a, int count, int factor)
{
    json_t *whole = items_in(a, (size_t)count, "count");
    for (int i = 0; i < count; i++) {
        const json_t *item = json_array_get(json_object_get(whole, "items"), (size_t)i);
        ck_assert_int_eq(number_of(item, "id"), i + 1);
        ck_assert_int_eq(number_of(item, "total"), number_of(item, "price") * number_of(item, "quantity") * factor);
    }
    json_decref(whole);
}

START_TEST(json_has_as_many_items_as_are_asked_for_with_totals_by_the_factor)
{
    static const struct { int count, factor; } CASES[] = { { 12, 3 }, { 22, 7 }, { 31, 2 }, { 50, 5 }, { 0, 1 }, { 1, -1 } };
    char path[64];
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        snprintf(path, sizeof path, "/json/%d?m=%d", CASES[i].count, CASES[i].factor);
        const answer a = get(path);
        ck_assert_ptr_null(header(&a, "Content-Encoding"));
        expect_totals(a, CASES[i].count, CASES[i].factor);
    }
    expect_totals(get("/json/3"), 3, 1);
    static const char *const WRONG[] = { "/json/51", "/json/-1", "/json/x", "/json/1?m=x", "/json/1?m=9223372036854775807" };
    for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++)
        expect_problem(get(WRONG[i]), 400);
    expect_body(get("/json"), "Hello, World!");              /* is another route, and stays what it was */
}
END_TEST

static answer get_coded(const char *path, const char *codings)
{
    char request[256];
    snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: t\r\nConnection: close\r\nAccept-Encoding: %s\r\n\r\n", path,
             codings);
    return ask(request);
}

static answer decoded(answer a)
{
    static char plain[64 * 1024];
    size_t length = sizeof plain - 1;
    ck_assert_msg(header_is(&a, "Content-Encoding", "br"), "%s", a.head);
    ck_assert_int_eq(BrotliDecoderDecompress(a.length, (const uint8_t *)a.body, &length, (uint8_t *)plain),
                     BROTLI_DECODER_RESULT_SUCCESS);
    plain[length] = '\0';
    a.body = plain;
    a.length = length;
    return a;
}

START_TEST(json_is_compressed_for_who_takes_it)
{
    static const struct { int count, factor; } CASES[] = { { 25, 3 }, { 40, 7 }, { 50, 2 } };
    char path[64];
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        snprintf(path, sizeof path, "/json/%d?m=%d", CASES[i].count, CASES[i].factor);
        expect_totals(decoded(get_coded(path, "gzip, br")), CASES[i].count, CASES[i].factor);
    }
    const answer gzip = get_coded("/json/50?m=1", "gzip");
    ck_assert(header_is(&gzip, "Content-Encoding", "gzip") && header_is(&gzip, "Vary", "Accept-Encoding"));
    ck_assert(gzip.length > 2 && (unsigned char)gzip.body[0] == 0x1f && (unsigned char)gzip.body[1] == 0x8b);
    const answer plain = get_coded("/json/50?m=1", "gzip;q=0, br;q=0");
    ck_assert_ptr_null(header(&plain, "Content-Encoding"));
    expect_totals(plain, 50, 1);
}
END_TEST

static answer upload(size_t length)
{
    char head[200];
    char *const bytes = calloc(1, length + 1);
    client *c = client_new();
    client_set_timeout(c, 60);
    snprintf(head, sizeof head, "POST /upload HTTP/1.1\r\nHost: t\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n", length);
    ck_assert(client_say(c, head) && client_send(c, bytes, length));
    const answer a = client_answer(c);
    static char body[64];
    snprintf(body, sizeof body, "%s", a.body);
    expect(a, 200, "text/plain");
    client_free(c);
    free(bytes);
    return (answer){ .status = a.status, .head = "", .body = body };
}

START_TEST(upload_counts_bytes_and_keeps_none)
{
    static const size_t SIZES[] = { 0, 17, 48, 512000, 2097152, 10485760, 20971520 };
    char length[32];
    upload(512000);
    const long before = server_resident();
    for (size_t i = 0; i < sizeof SIZES / sizeof *SIZES; i++) {
        snprintf(length, sizeof length, "%zu", SIZES[i]);
        ck_assert_str_eq(upload(SIZES[i]).body, length);
    }
    if (!run_slowed())                       /* sanitizers keep what has been freed */
        ck_assert_int_lt(server_resident() - before, 4 * 1024 * 1024);
    expect_text(ask("POST /upload HTTP/1.1\r\nHost: t\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
                    "5\r\nHello\r\n2\r\n, \r\n0\r\n\r\n"), "7");
    expect_problem(ask("POST /upload HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nHelloX"), 400);
}
END_TEST

START_TEST(delay_answers_its_own_number_and_never_too_early)
{
    enum { CLIENTS = 32 };
    client *clients[CLIENTS];
    char path[64], said[16];
    const double began = now_s();
    for (int i = 0; i < CLIENTS; i++) {      /* the longest first: they answer in another order */
        snprintf(path, sizeof path, "/delay/%d", 20 + 7 * (CLIENTS - i));
        clients[i] = client_asking(path);
    }
    for (int i = CLIENTS - 1; i >= 0; i--) {
        const int ms = 20 + 7 * (CLIENTS - i);
        snprintf(said, sizeof said, "%d", ms);
        expect_text(client_answer(clients[i]), said);
        ck_assert_double_ge(now_s() - began, ms / 1000.0);
        client_free(clients[i]);
    }
    expect_text(get("/delay/0"), "0");
    expect_problem(get("/delay/-1"), 400);
    expect_problem(get("/delay/x"), 400);
    expect_problem(get("/delay/60001"), 400);
}
END_TEST

static void write_static(const char *name, const char *content)
{
    char path[300];
    snprintf(path, sizeof path, "%s/static/%s", run_folder(), name);
    FILE *f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    fputs(content, f);
    fclose(f);
}

static void expect_sent(const char *codings, const char *coding, const char *content)
{
    const answer a = get_coded("/static/arena.css", codings);
    expect(a, 200, "text/css");
    ck_assert_str_eq(a.body, content);
    ck_assert_msg(coding ? header_is(&a, "Content-Encoding", coding) : header(&a, "Content-Encoding") == NULL, "%s", a.head);
}

START_TEST(static_files_are_sent_as_they_are_now_in_the_coding_that_is_asked_for)
{
    static const char *const CONTENTS[][3] = { { "plain", "by gzip", "by br" }, { "fresh", "new gzip", "new br" } };
    for (int i = 0; i < 2; i++) {
        write_static("arena.css", CONTENTS[i][0]);
        write_static("arena.css.gz", CONTENTS[i][1]);
        write_static("arena.css.br", CONTENTS[i][2]);
        expect_sent("", NULL, CONTENTS[i][0]);
        expect_sent("br;q=1, gzip;q=0.8", "br", CONTENTS[i][2]);
        expect_sent("gzip", "gzip", CONTENTS[i][1]);
    }
    expect_problem(get("/static/nonexistent.txt"), 404);
}
END_TEST

static const char *dataset_file(const char *json)
{
    static char setting[300];
    snprintf(setting, sizeof setting, "TENK_BOARDS_DATASET=%s/dataset.json", run_folder());
    FILE *f = fopen(strchr(setting, '/'), "w");
    ck_assert_ptr_nonnull(f);
    fputs(json, f);
    fclose(f);
    return setting;
}

#define ITEM_OF(price) "{\"id\":7,\"name\":\"N\",\"category\":\"c\",\"price\":" price ",\"quantity\":2,\"active\":true," \
                       "\"tags\":[\"t\\n\"],\"rating\":{\"score\":1,\"count\":2}}"

START_TEST(the_data_set_may_be_a_file_and_what_is_wrong_with_one_is_said)
{
    server_start("http-arena-dataset", dataset_file("[" ITEM_OF("3") "]"), NULL);
    ck_assert_str_eq(get("/json/1?m=5").body,
                     "{\"items\":[{\"id\":7,\"name\":\"N\",\"category\":\"c\",\"price\":3,\"quantity\":2,\"active\":true,"
                     "\"tags\":[\"t\\n\"],\"rating\":{\"score\":1,\"count\":2},\"total\":30}],\"count\":1}");
    expect_problem(get("/json/2"), 400);

    static const struct { const char *json, *why; } WRONG[] = {
        { "[" ITEM_OF("3") ",\n" ITEM_OF("\"3\"") "]", "item 2 lacks a member, or has one of another type" },
        { "[\n" ITEM_OF("3"), "line 2" }, { "[]", "has no items" }, { "{}", "has no items" },
    };
    char output[1024], url[300];
    snprintf(url, sizeof url, "DATABASE_URL=sqlite:%s/tenk.db", here.folder);
    for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++) {
        ck_assert_int_eq(tenk_run(output, sizeof output, url, dataset_file(WRONG[i].json), NULL), 1);
        ck_assert_msg(strstr(output, "[boards] dataset: ") && strstr(output, WRONG[i].why), "%s", output);
    }
    server_stop();
}
END_TEST

Suite *http_arena_suite(void)
{
    Suite *s = suite_create("http_arena");
    TCase *t = theme(s, "http-arena", with_routes);
    tcase_add_test(t, baseline_adds_what_is_in_the_query_and_in_the_body);
    tcase_add_test(t, baseline_understands_requests_that_come_in_pieces);
    tcase_add_test(t, connections_of_ten_requests_of_three_kinds_come_and_go);
    tcase_add_test(t, sixteen_pipelined_requests_get_sixteen_answers);
    tcase_add_test(t, json_has_as_many_items_as_are_asked_for_with_totals_by_the_factor);
    tcase_add_test(t, json_is_compressed_for_who_takes_it);
    tcase_add_test(t, upload_counts_bytes_and_keeps_none);
    tcase_add_test(t, delay_answers_its_own_number_and_never_too_early);
    tcase_add_test(t, static_files_are_sent_as_they_are_now_in_the_coding_that_is_asked_for);
    t = theme(s, "http-arena-dataset", NULL);
    tcase_add_test(t, the_data_set_may_be_a_file_and_what_is_wrong_with_one_is_said);
    return s;
}
