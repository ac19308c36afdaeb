/* posts.c - POST /users/:id/posts: forms and JSON, what is wrong with them, and that the post is
 * there afterwards. */
#include "scenarios.h"

#include "tests/scenarios/support/json.h"
#include "tests/scenarios/support/postgres.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FORM "application/x-www-form-urlencoded"
#define JSON "application/json"

enum { PUBLISHED = 4096 };                   /* bytes of what is looked at */

static bool on_postgres_now;

static void on_sqlite(void)
{
    on_postgres_now = false;
    server_start("posts-sqlite", "TENK_LIMITS_BODY=64KiB", NULL);
}

static void on_postgres(void)
{
    on_postgres_now = true;
    server_start_on_postgres("posts-postgres", "TENK_LIMITS_BODY=64KiB", NULL);
}

START_TEST(a_form_is_answered_by_303_to_the_user_where_the_post_is)
{
    const answer a =
        post("/users/7/posts", FORM, "title=A+form%27s+title&body=Some+%2Avery%2A+new+text");
    ck_assert_int_eq(a.status, 303);
    ck_assert_msg(header(&a, "Location") && strncmp(header(&a, "Location"), "/users/7", 8) == 0,
                  "%s", a.head);
    ck_assert_ptr_nonnull(header(&a, "Server-Timing"));
    const answer b = get("/users/7");
    expect_body(b, "form");
    expect_body(b, "<em>very</em> new text");
}
END_TEST

START_TEST(json_is_answered_by_201_with_location_and_the_post)
{
    const answer a =
        post("/users/8/posts", JSON,
             "{\"title\": \"By JSON \\u00e9\", \"body\": \"In **bold**\\nand \\\"quoted\\\"\"}");
    json_t *one = json_in(a, 201);
    ck_assert_ptr_nonnull(header(&a, "Location"));
    ck_assert_int_gt(json_integer_value(json_object_get(one, "id")), 0);
    ck_assert_str_eq(json_string_value(json_object_get(one, "title")), "By JSON \u00e9");
    ck_assert_str_eq(json_string_value(json_object_get(one, "body")), "In **bold**\nand \"quoted\"");
    const json_int_t id = json_integer_value(json_object_get(one, "id"));
    json_decref(one);

    const answer b = get_as("/users/8", JSON);
    json_t *all = json_in(b, 200), *each;
    bool found = false;
    size_t i;
    json_array_foreach(json_object_get(all, "posts"), i, each)
        found |= json_integer_value(json_object_get(each, "id")) == id;
    json_decref(all);
    ck_assert_msg(found, "post %lld is not in %.400s", (long long)id, b.body);
    expect_body(get("/users/8"), "<strong>bold</strong>");
}
END_TEST

/* On SQLite the first argument of the callback is a buffer. */
static int copy_cell(void *to, int columns, char **cells, char **names)
{
    (void)columns, (void)names;
    snprintf(to, PUBLISHED, "%s", cells[0]);
    return 0;
}

/* What was published last on a topic, as its event and data. */
static const char *published(const char *topic)
{
    static char cell[PUBLISHED];
    char sql[160];
    snprintf(sql, sizeof sql, "select event || ' ' || data from outbox where topic = '%s' order by id desc limit 1", topic);
    if (on_postgres_now)
        return cluster_ask(postgres(), sql);
    char path[200];
    sqlite3 *s;
    *cell = '\0';
    snprintf(path, sizeof path, "%s/tenk.db", here.folder);
    ck_assert_int_eq(sqlite3_open(path, &s), SQLITE_OK);
    sqlite3_busy_timeout(s, 5000);
    ck_assert_int_eq(sqlite3_exec(s, sql, copy_cell, cell, NULL), SQLITE_OK);
    sqlite3_close(s);
    return cell;
}

START_TEST(a_post_is_published_as_it_is_answered_and_what_is_not_stored_is_not)
{
    const answer a = post("/users/8/posts", JSON, "{\"title\": \"Tell \\\"all\\\"\", \"body\": \"of \\u00e9\"}");
    ck_assert_int_eq(a.status, 201);
    const char *told = published("users/8");
    ck_assert_msg(strncmp(told, "post ", 5) == 0 && strcmp(told + 5, a.body) == 0, "%s is not %s", told, a.body);
    ck_assert_int_eq(post("/users/4000000/posts", FORM, "title=t&body=b").status, 404);
    ck_assert_str_eq(published("users/4000000"), "");
}
END_TEST

START_TEST(the_location_of_a_post_is_there)
{
    const answer a = post("/users/8/posts", JSON, "{\"title\": \"t\", \"body\": \"b\"}");
    ck_assert_int_eq(a.status, 201);
    char location[256];
    snprintf(location, sizeof location, "%s", header(&a, "Location"));
    location[strcspn(location, "#")] = '\0';
    expect(get(location), 200, NULL);
}
END_TEST

START_TEST(a_script_in_a_post_arrives_as_text)
{
    static const char *const bodies[] = {
        "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "a <b onclick=alert(1)>b</b>",
        "[click](javascript:alert(1))", "<!-- --><script>alert(1)</script>",
    };
    char *title = "{\"title\": \"<script>alert(2)</script>&\\\"'\", \"body\": %s}", request[1024];
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        json_t *text = json_string(bodies[i]);
        char *quoted = json_dumps(text, JSON_ENCODE_ANY);
        snprintf(request, sizeof request, title, quoted);
        ck_assert_int_eq(post("/users/9/posts", JSON, request).status, 201);
        free(quoted);
        json_decref(text);
    }
    const answer a = get("/users/9");
    expect(a, 200, "text/html");
    ck_assert_ptr_null(strstr(a.body, "<script>"));
    ck_assert_ptr_null(strstr(a.body, "<img"));
    ck_assert_ptr_null(strstr(a.body, "<b onclick"));
    ck_assert_ptr_null(strcasestr(a.body, "href=\"javascript:"));
    expect_body(a, "&lt;script&gt;alert(1)");
    expect_body(a, "&lt;script&gt;alert(2)");
}
END_TEST

START_TEST(what_is_wrong_with_a_post_is_said)
{
    static const struct { const char *type, *body; int status; } wrong[] = {
        { JSON, "{\"title\": \"t\", \"body\": ", 400 },
        { JSON, "", 400 },
        { JSON, "\xff\xfe", 400 },
        { JSON, "{\"title\": \"\xff\", \"body\": \"b\"}", 400 },
        { JSON, "{\"title\": \"t\", \"body\": \"b\"} x", 400 },
        { JSON, "[]", 422 },
        { JSON, "\"text\"", 422 },
        { JSON, "{}", 422 },
        { JSON, "{\"title\": \"t\"}", 422 },
        { JSON, "{\"body\": \"b\"}", 422 },
        { JSON, "{\"title\": 1, \"body\": \"b\"}", 422 },
        { JSON, "{\"title\": null, \"body\": \"b\"}", 422 },
        { JSON, "{\"title\": \"\", \"body\": \"b\"}", 422 },
        { JSON, "{\"title\": \"  \", \"body\": \"b\"}", 422 },
        { JSON, "{\"title\": \"t\", \"body\": \"\"}", 422 },
        { FORM, "title=t", 422 },
        { FORM, "body=b", 422 },
        { FORM, "", 422 },
        { FORM, "title=&body=b", 422 },
        { FORM, "nonsense", 422 },
        { "text/plain", "title=t&body=b", 415 },
        { "application/jsonp", "{\"title\": \"t\", \"body\": \"b\"}", 415 },
        { NULL, "title=t&body=b", 415 },
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        const answer a = post("/users/10/posts", wrong[i].type, wrong[i].body);
        ck_assert_msg(a.status == wrong[i].status, "%s %s: %d, expected %d: %s", wrong[i].type,
                      wrong[i].body, a.status, wrong[i].status, a.body);
        expect_problem(a, wrong[i].status);
    }
}
END_TEST

START_TEST(what_no_text_can_hold_is_refused)
{
    /* NUL is no text for PostgreSQL, and broken UTF-8 is none for JSON readers. */
    static const struct { const char *type, *body; } wrong[] = {
        { JSON, "{\"title\": \"a\\u0000b\", \"body\": \"b\"}" },
        { JSON, "{\"title\": \"t\", \"body\": \"\\ud800\"}" },
        { FORM, "title=a%00b&body=b" },
        { FORM, "title=%ff&body=b" },
        { FORM, "title=t&body=%c0%80" },
        { FORM, "title=t&body=%ed%a0%80" },
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        const answer a = post("/users/10/posts", wrong[i].type, wrong[i].body);
        ck_assert_msg(a.status == 400 || a.status == 422, "%s: %d %s", wrong[i].body, a.status, a.body);
        expect_problem(a, a.status);
    }
    expect(get_as("/users/10", JSON), 200, JSON);
}
END_TEST

START_TEST(what_is_json_is_not_called_none)
{
    static const struct { const char *body, *why; } unusable[] = {
        { "{\"title\": \"t\", \"title\": \"t\", \"body\": \"b\"}", "the same name twice" },
        { "{\"title\": \"a\\u0000b\", \"body\": \"b\"}", "U+0000" },
        { "{\"title\": \"t\", \"body\": \"b\", \"\\u0000\": 1}", "U+0000" },
        { "{\"title\": \"t\", \"body\": \"\\ud800\"}", "surrogate" },
        { "{\"title\": \"t\", \"body\": \"\\udc00\\ud800\"}", "surrogate" },
        { "{\"title\": 99999999999999999999, \"body\": \"b\"}", "a number" },
        { "{\"title\": \"t\",\n\"body\": 1e999}", "line 2, column" },
    };
    for (size_t i = 0; i < sizeof unusable / sizeof unusable[0]; i++) {
        const answer a = post("/users/10/posts", JSON, unusable[i].body);
        expect_problem(a, 422);
        expect_body(a, unusable[i].why);
        ck_assert_msg(!strstr(a.body, "not JSON") && !strstr(a.body, "JSON_"), "%s", a.body);
    }
    ck_assert_int_eq(post("/users/10/posts", JSON, "\xef\xbb\xbf{\"title\": \"marked\", \"body\": \"b\"}").status, 201);
    expect_body(post("/users/10/posts", JSON, "{\"title\": \"t\\x\", \"body\": \"b\"}"), "not JSON");
}
END_TEST

START_TEST(a_body_in_a_coding_is_415_and_says_which_are_taken)
{
    static const char *const codings[] = { "gzip", "br", "identity, gzip", "identity\r\nContent-Encoding: deflate", "GZIP" };
    char request[512];
    for (size_t i = 0; i < sizeof codings / sizeof codings[0]; i++) {
        snprintf(request, sizeof request, "POST /users/10/posts HTTP/1.1\r\nHost: t\r\nConnection: close\r\nContent-Type: " JSON
                 "\r\nContent-Encoding: %s\r\nContent-Length: 2\r\n\r\n\x1f\x8b", codings[i]);
        const answer a = ask(request);
        expect_problem(a, 415);
        ck_assert_msg(header_is(&a, "Accept-Encoding", "identity"), "%s", a.head);
    }
    expect(ask("POST /users/10/posts HTTP/1.1\r\nHost: t\r\nConnection: close\r\nContent-Type: " JSON
               "\r\nContent-Encoding: identity, ,\r\nContent-Length: 24\r\n\r\n{\"title\":\"t\",\"body\":\"b\"}"), 201, JSON);
    expect(ask("POST /echo HTTP/1.1\r\nHost: t\r\nConnection: close\r\nContent-Encoding: gzip\r\nContent-Length: 0\r\n\r\n"),
           200, NULL);                       /* none has nothing to decode */
}
END_TEST

static answer post_on(const char *path, const char *condition)
{
    char request[512];
    snprintf(request, sizeof request, "POST %s HTTP/1.1\r\nHost: t\r\nConnection: close\r\n%s\r\nContent-Type: " JSON
             "\r\nContent-Length: 36\r\n\r\n{\"title\":\"conditional\",\"body\":\"b\"} \n", path, condition);
    return ask(request);
}

/* None of these can be read: there is no state of it that a client could have seen. */
START_TEST(a_post_that_is_to_match_a_state_is_412_and_not_stored)
{
    static const char *const paths[] = { "/users/16/posts", "/import", "/echo" };
    static const char *const failing[] = { "If-Match: *", "If-Match: \"x\"", "if-match: W/\"x\", \"y\"",
                                           "If-Match:\r\nIf-Match: \"x\"", "If-Match: *\r\nIf-None-Match: *" };
    static const char *const holding[] = { "If-None-Match: *", "If-None-Match: \"x\"", "If-Match:",
                                           "If-Unmodified-Since: Sun, 06 Nov 1994 08:49:37 GMT" };
    for (size_t p = 0; p < sizeof paths / sizeof paths[0]; p++)
        for (size_t i = 0; i < sizeof failing / sizeof failing[0]; i++)
            expect_problem(post_on(paths[p], failing[i]), 412);
    ck_assert_ptr_null(strstr(get_as("/users/16", JSON).body, "conditional"));
    for (size_t i = 0; i < sizeof holding / sizeof holding[0]; i++) {
        expect(post_on("/users/16/posts", holding[i]), 201, JSON);
        expect(post_on("/echo", holding[i]), 200, NULL);
    }
    ck_assert_int_eq(occurrences(get_as("/users/16", JSON).body, "\"conditional\""), 4);
    expect_problem(post_on("/users/16/posts", "If-Match: *\r\nOrigin: http://evil.test"), 403);
    expect_problem(post_on("/users/16/posts", "If-Match: *\r\nContent-Encoding: gzip"), 415);
}
END_TEST

START_TEST(the_type_may_have_parameters_and_any_case)
{
    ck_assert_int_eq(post("/users/11/posts", "Application/JSON; charset=utf-8",
                          "{\"title\": \"t\", \"body\": \"b\"}")
                         .status,
                     201);
    ck_assert_int_eq(
        post("/users/11/posts", "application/x-www-form-urlencoded;charset=UTF-8", "title=t&body=b")
            .status,
        303);
}
END_TEST

START_TEST(a_post_that_is_too_large_is_413)
{
    char *body = calloc(1, 70 * 1024);
    memcpy(body, "title=t&body=", 13);
    memset(body + 13, 'x', 66 * 1024);
    const answer a = post("/users/12/posts", FORM, body);
    expect_problem(a, 413);
    const answer page = post_as("/users/12/posts", FORM, body, "text/html");
    expect(page, 413, "text/html");
    free(body);
}
END_TEST

START_TEST(nobody_posts_for_a_user_who_is_not_there)
{
    expect_problem(post("/users/10001/posts", FORM, "title=t&body=b"), 404);
    expect_problem(post("/users/10001/posts", JSON, "{\"title\": \"t\", \"body\": \"b\"}"), 404);
    expect_problem(post("/users/0/posts", FORM, "title=t&body=b"), 404);
    expect_problem(post("/users/x/posts", FORM, "title=t&body=b"), 400);
    expect(post_as("/users/10001/posts", FORM, "title=t&body=b", "text/html"), 404, "text/html");
}
END_TEST

START_TEST(sql_in_a_post_is_text)
{
    ck_assert_int_eq(
        post("/users/13/posts", FORM, "title='); drop table posts; --&body=$1 ' \" \\ %3B").status,
        303);
    expect_body(get("/users/13"), "drop table posts");
    expect(get("/users/42"), 200, "text/html");
}
END_TEST

START_TEST(a_chunked_post_is_a_post)
{
    const answer a =
        ask("POST /users/14/posts HTTP/1.1\r\nHost: t\r\nConnection: close\r\nContent-Type: " FORM
            "\r\n"
            "Transfer-Encoding: chunked\r\n\r\n9\r\ntitle=in+\r\nd\r\npieces&body=b\r\n0\r\n\r\n");
    ck_assert_int_eq(a.status, 303);
    expect_body(get("/users/14"), "in pieces");
}
END_TEST

START_TEST(many_post_at_once_and_every_post_is_there)
{
    enum { CLIENTS = 20, EACH = 10 };
    client *c[CLIENTS];
    char request[512], body[128];
    for (int i = 0; i < CLIENTS; i++)
        c[i] = client_new();
    for (int k = 0; k < EACH; k++)
        for (int i = 0; i < CLIENTS; i++) {
            snprintf(body, sizeof body, "title=crowd+%d-%d&body=b", i, k);
            snprintf(request, sizeof request,
                     "POST /users/%d/posts HTTP/1.1\r\nHost: t\r\nContent-Type: " FORM
                     "\r\nContent-Length: %zu\r\n\r\n%s",
                     100 + i, strlen(body), body);
            ck_assert(client_say(c[i], request));
        }
    for (int i = 0; i < CLIENTS; i++) {
        for (int k = 0; k < EACH; k++)
            ck_assert_int_eq(client_answer(c[i]).status, 303);
        client_free(c[i]);
    }
    for (int i = 0; i < CLIENTS; i++) {
        char path[32];
        snprintf(path, sizeof path, "/users/%d", 100 + i);
        ck_assert_int_ge(occurrences(get_as(path, JSON).body, "\"crowd "), EACH);
    }
}
END_TEST

Suite *posts_suite(void)
{
    Suite *s = suite_create("posts");
    for (int database = 0; database < 2; database++) {
        TCase *t = database == 0 ? theme(s, "posts-sqlite", on_sqlite)
                                 : theme(s, "posts-postgres", on_postgres);
        tcase_add_test(t, a_form_is_answered_by_303_to_the_user_where_the_post_is);
        tcase_add_test(t, json_is_answered_by_201_with_location_and_the_post);
        tcase_add_test(t, a_post_is_published_as_it_is_answered_and_what_is_not_stored_is_not);
        tcase_add_test(t, the_location_of_a_post_is_there);
        tcase_add_test(t, a_script_in_a_post_arrives_as_text);
        tcase_add_test(t, what_is_wrong_with_a_post_is_said);
        tcase_add_test(t, what_no_text_can_hold_is_refused);
        tcase_add_test(t, what_is_json_is_not_called_none);
        tcase_add_test(t, a_body_in_a_coding_is_415_and_says_which_are_taken);
        tcase_add_test(t, a_post_that_is_to_match_a_state_is_412_and_not_stored);
        tcase_add_test(t, the_type_may_have_parameters_and_any_case);
        tcase_add_test(t, a_post_that_is_too_large_is_413);
        tcase_add_test(t, nobody_posts_for_a_user_who_is_not_there);
        tcase_add_test(t, sql_in_a_post_is_text);
        tcase_add_test(t, a_chunked_post_is_a_post);
        tcase_add_test(t, many_post_at_once_and_every_post_is_there);
    }
    return s;
}
