/* post_pages.c - a user's older posts, one post alone, and what clients know of both already. */
#include "tests/scenarios/support/json.h"
#include "scenarios.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JSON "application/json"

static void on_sqlite(void)   { server_start("pages-sqlite", NULL); }
static void on_postgres(void) { server_start_on_postgres("pages-postgres", NULL); }

enum { SEEDED = 10, PAGE = 20 };

static int64_t post_one(int user, const char *title)
{
    char path[64], body[256];
    snprintf(path, sizeof path, "/users/%d/posts", user);
    snprintf(body, sizeof body, "{\"title\": \"%s\", \"body\": \"**Bold** words.\"}", title);
    json_t *one = json_in(post(path, JSON, body), 201);
    const int64_t id = number_of(one, "id");
    json_decref(one);
    return id;
}

static const char *string_in(const json_t *object, const char *key) { return json_string_value(json_object_get(object, key)); }

START_TEST(all_of_a_users_posts_can_be_reached_page_by_page)
{
    enum { MORE = 35, ALL = SEEDED + MORE };
    char path[256] = "/users/900", before[256] = "";
    int64_t last = INT64_MAX;
    int count = 0, pages = 0;
    for (int i = 0; i < MORE; i++)
        post_one(900, "one of many");
    while (path[0]) {
        json_t *page = json_in(get_as(path, JSON), 200), *each;
        const char *previous = string_in(page, "previous"), *next = string_in(page, "next");
        size_t i;
        json_array_foreach(json_object_get(page, "posts"), i, each) {
            ck_assert_msg(number_of(each, "id") < last, "%s", path);
            last = number_of(each, "id");
            count++;
        }
        pages++;
        ck_assert_str_eq(previous ? previous : "", before);
        strcpy(before, path);
        snprintf(path, sizeof path, "%s", next ? next : "");
        json_decref(page);
    }
    ck_assert_int_eq(count, ALL);
    ck_assert_int_eq(pages, (ALL + PAGE - 1) / PAGE);

    ck_assert_int_eq(occurrences(get("/users/900").body, "<article"), PAGE);
    expect_body(get("/users/900"), "<a rel=\"next\" href=\"/users/900?page=2\">");
    expect_body(get("/users/900?page=2"), "<a rel=\"prev\" href=\"/users/900\">");
    expect_body(get("/users/900?page=2"), "<a rel=\"next\" href=\"/users/900?page=3\">");
    expect_body(get("/users/900?page=3"), "<a rel=\"prev\" href=\"/users/900?page=2\">");
    ck_assert(!strstr(get("/users/900?page=3").body, "rel=\"next\"") && !strstr(get("/users/900").body, "rel=\"prev\""));
}
END_TEST

START_TEST(a_full_page_has_no_next_one_until_there_is_another_post)
{
    for (int i = SEEDED; i < PAGE; i++)
        post_one(901, "to fill the page");
    json_t *full = json_in(get_as("/users/901", JSON), 200);
    ck_assert(json_is_null(json_object_get(full, "next")) && json_is_null(json_object_get(full, "previous")));
    ck_assert_uint_eq(json_array_size(json_object_get(full, "posts")), PAGE);
    json_decref(full);
    post_one(901, "one more");
    full = json_in(get_as("/users/901", JSON), 200);
    ck_assert_str_eq(string_in(full, "next"), "/users/901?page=2");
    json_decref(full);
    full = json_in(get_as("/users/901?page=2", JSON), 200);
    ck_assert_uint_eq(json_array_size(json_object_get(full, "posts")), 1);
    json_decref(full);
}
END_TEST

START_TEST(all_stages_and_places_of_rendering_have_the_same_pages)
{
    static const char *const others[] = { "/promises?page=2", "/callbacks?page=2", "/sequential?page=2", "?page=2&render=inline",
                                          "?page=2&render=process" };
    for (int i = SEEDED; i < PAGE + 5; i++)
        post_one(902, "the same everywhere");
    static const char *const accepts[] = { "text/html", JSON };
    for (int k = 0; k < 2; k++) {
        char *body = strdup(get_as("/users/902?page=2", accepts[k]).body), path[128];
        for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
            snprintf(path, sizeof path, "/users/902%s", others[i]);
            const answer a = get_as(path, accepts[k]);
            expect(a, 200, accepts[k]);
            ck_assert_str_eq(a.body, body);
        }
        free(body);
    }
}
END_TEST

START_TEST(a_page_that_is_none_is_400_and_one_that_is_empty_is_not)
{
    static const char *const bad[] = { "0", "-1", "x", "", "1.5", "1000001", "9223372036854775808" };
    static const char *const stages[] = { "", "/promises", "/callbacks", "/sequential" };
    char path[128];
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        for (int k = 0; k < 4; k++) {
            snprintf(path, sizeof path, "/users/42%s?page=%s", stages[k], bad[i]);
            expect_problem(get_as(path, JSON), 400);
        }
    json_t *beyond = json_in(get_as("/users/42?page=1000000", JSON), 200);
    ck_assert_uint_eq(json_array_size(json_object_get(beyond, "posts")), 0);
    json_decref(beyond);
    expect(get("/users/42?page=1000000"), 200, "text/html");
}
END_TEST

START_TEST(a_post_has_a_page_of_its_own)
{
    char path[64], author[128];
    const int64_t id = post_one(903, "Seen alone <b>");
    snprintf(path, sizeof path, "/posts/%lld", (long long)id);
    json_t *one = json_in(get_as(path, JSON), 200);
    ck_assert_int_eq(number_of(one, "id"), id);
    ck_assert_int_eq(number_of(one, "user_id"), 903);
    ck_assert_int_gt(number_of(one, "created_at"), 1700000000);
    ck_assert_str_eq(string_in(one, "title"), "Seen alone <b>");
    ck_assert_str_eq(string_in(one, "body"), "**Bold** words.");
    json_decref(one);
    const answer a = get(path);
    expect(a, 200, "text/html; charset=utf-8");
    expect_body(a, "Seen alone &lt;b&gt;");
    expect_body(a, "<strong>Bold</strong> words.");
    expect_body(a, "href=\"/users/903\"");
    ck_assert_ptr_nonnull(header(&a, "Server-Timing"));
    snprintf(author, sizeof author, "href=\"%s\"", path);
    expect_body(get("/users/903"), author);
}
END_TEST

START_TEST(a_new_post_is_where_its_location_says)
{
    const answer a = post("/users/904/posts", JSON, "{\"title\": \"located\", \"body\": \"b\"}");
    ck_assert_int_eq(a.status, 201);
    char *body = strdup(a.body), location[128];
    snprintf(location, sizeof location, "%s", header(&a, "Location"));
    ck_assert_msg(strncmp(location, "/posts/", 7) == 0, "%s", location);
    ck_assert_str_eq(get_as(location, JSON).body, body);
    free(body);
}
END_TEST

START_TEST(a_post_that_is_not_there_is_404)
{
    static const char *const unknown[] = { "0", "-1", "9223372036854775807" },
                      *const bad[] = { "x", "1.5", "9223372036854775808" };
    char path[64];
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "/posts/%s", unknown[i]);
        expect_problem(get(path), 404);
        snprintf(path, sizeof path, "/posts/%s", bad[i]);
        expect_problem(get(path), 400);
    }
    expect_problem(get("/posts/"), 404);
}
END_TEST

static answer get_if(const char *path, const char *accept, const char *condition, const char *value)
{
    char request[1024];
    snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: t\r\nConnection: close\r\nAccept: %s\r\n%s: %s\r\n\r\n",
             path, accept, condition, value);
    return ask(request);
}

START_TEST(who_has_it_already_gets_304_and_who_insists_on_another_412)
{
    static const char *const paths[] = { "/posts/411", "/users/42", "/users/42/callbacks", "/users/42/promises", "/users" };
    static const char *const accepts[] = { "text/html", JSON };
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        for (int k = 0; k < 2; k++) {
            char tag[2][128];
            for (int n = 0; n < 2; n++) {
                const answer a = get_as(paths[i], accepts[n]);
                ck_assert_msg(header(&a, "ETag") != NULL, "%s: %s", paths[i], a.head);
                snprintf(tag[n], sizeof tag[n], "%s", header(&a, "ETag"));
            }
            const answer same = get_if(paths[i], accepts[k], "If-None-Match", tag[k]);
            ck_assert_msg(same.status == 304 && same.length == 0, "%s: %d", paths[i], same.status);
            ck_assert(header_is(&same, "ETag", tag[k]));
            ck_assert_int_eq(get_if(paths[i], accepts[k], "If-None-Match", "\"another\"").status, 200);
            ck_assert_int_eq(get_if(paths[i], accepts[k], "If-Match", tag[k]).status, 200);
            ck_assert_int_eq(get_if(paths[i], accepts[k], "If-Match", "\"another\"").status, 412);
            ck_assert_str_ne(tag[0], tag[1]);
        }
}
END_TEST

START_TEST(a_tag_is_another_when_the_answer_is)
{
    char tag[128];
    answer a = get_as("/users/905", JSON);
    snprintf(tag, sizeof tag, "%s", header(&a, "ETag"));
    ck_assert_int_eq(get_if("/users/905", JSON, "If-None-Match", tag).status, 304);
    post_one(905, "new");
    ck_assert_int_eq(get_if("/users/905", JSON, "If-None-Match", tag).status, 200);
}
END_TEST

START_TEST(a_post_says_when_it_was_written)
{
    char date[64];
    answer a = get_as("/posts/411", JSON);
    ck_assert_msg(header(&a, "Last-Modified") != NULL, "%s", a.head);
    snprintf(date, sizeof date, "%s", header(&a, "Last-Modified"));
    ck_assert_int_eq(get_if("/posts/411", JSON, "If-Modified-Since", date).status, 304);
    ck_assert_int_eq(get_if("/posts/411", JSON, "If-Unmodified-Since", date).status, 200);
    ck_assert_int_eq(get_if("/posts/411", JSON, "If-Unmodified-Since", "Sun, 06 Nov 1994 08:49:37 GMT").status, 412);
    expect_problem(get_if("/posts/411", JSON, "If-Unmodified-Since", "Sun, 06 Nov 1994 08:49:37 GMT"), 412);
}
END_TEST

Suite *post_pages_suite(void)
{
    Suite *s = suite_create("post_pages");
    for (int database = 0; database < 2; database++) {
        TCase *t = database == 0 ? theme(s, "pages-sqlite", on_sqlite) : theme(s, "pages-postgres", on_postgres);
        tcase_add_test(t, all_of_a_users_posts_can_be_reached_page_by_page);
        tcase_add_test(t, a_full_page_has_no_next_one_until_there_is_another_post);
        tcase_add_test(t, all_stages_and_places_of_rendering_have_the_same_pages);
        tcase_add_test(t, a_page_that_is_none_is_400_and_one_that_is_empty_is_not);
        tcase_add_test(t, a_post_has_a_page_of_its_own);
        tcase_add_test(t, a_new_post_is_where_its_location_says);
        tcase_add_test(t, a_post_that_is_not_there_is_404);
        tcase_add_test(t, who_has_it_already_gets_304_and_who_insists_on_another_412);
        tcase_add_test(t, a_tag_is_another_when_the_answer_is);
        tcase_add_test(t, a_post_says_when_it_was_written);
    }
    return s;
}
