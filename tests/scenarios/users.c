/* users.c - the users and their pages, in all stages, on both databases. */
#include "scenarios.h"

#include "tests/scenarios/support/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void on_sqlite(void) { server_start("users-sqlite", NULL); }
static void on_postgres(void) { server_start_on_postgres("users-postgres", NULL); }

static int user_links(const answer *a)
{
    int count = 0;
    for (const char *at = a->body; (at = strstr(at, "href=\"/users/")); at++)
        count++;
    return count;
}

START_TEST(users_come_fifty_a_page_with_next_and_previous)
{
    char *first = strdup(get("/users").body);
    const answer a = get("/users");
    expect(a, 200, "text/html; charset=utf-8");
    ck_assert_int_ge(user_links(&a), 50);
    ck_assert_int_lt(user_links(&a), 60);
    expect_body(a, "href=\"/users/1\"");
    expect_body(a, "href=\"/users/50\"");
    ck_assert_ptr_null(strstr(a.body, "href=\"/users/51\""));
    ck_assert_ptr_null(strstr(a.body, "rel=\"prev\""));
    const char *next = strstr(a.body, "rel=\"next\"");
    ck_assert_msg(next != NULL, "no next link: %s", a.body);

    /* Follow next as a browser would, and come back by previous. */
    const char *tag = next;
    while (*tag != '<')
        tag--;
    char path[256] = "";
    ck_assert_int_eq(sscanf(strstr(tag, "href=\""), "href=\"%255[^\"]", path), 1);
    const answer b = get(path[0] == '?' ? "/users?page=2" : path);
    expect(b, 200, "text/html");
    expect_body(b, "href=\"/users/51\"");
    expect_body(b, "href=\"/users/100\"");
    ck_assert_ptr_null(strstr(b.body, "href=\"/users/50\""));
    const char *previous = strstr(b.body, "rel=\"prev\"");
    ck_assert_msg(previous != NULL, "no previous link: %s", b.body);
    for (tag = previous; *tag != '<';)
        tag--;
    ck_assert_int_eq(sscanf(strstr(tag, "href=\""), "href=\"%255[^\"]", path), 1);
    ck_assert_str_eq(get(path).body, first);
    free(first);
}
END_TEST

static void expect_link_to_page(answer a, int page, bool there)
{
    char link[64];
    snprintf(link, sizeof link, "href=\"/users?page=%d\">%d<", page, page);
    ck_assert_msg((strstr(a.body, link) != NULL) == there, "a link to page %d: %s", page, there ? "not there" : "there");
}

/* Of 10,000 users, as they are seeded. */
START_TEST(users_are_counted_and_there_are_links_to_pages_far_away)
{
    get("/users");                           /* whoever comes first counts, and others who come meanwhile know no number */
    answer a = get("/users?page=95");
    expect_body(a, "10000 users on 200 pages");
    expect_body(a, "<b aria-current=\"page\">95</b>");
    static const int NEAR[] = { 1, 85, 94, 96, 105, 195, 200 }, FAR[] = { 2, 84, 95, 97, 106, 201, 1095 };
    for (size_t i = 0; i < sizeof NEAR / sizeof NEAR[0]; i++)
        expect_link_to_page(a, NEAR[i], true);
    for (size_t i = 0; i < sizeof FAR / sizeof FAR[0]; i++)
        expect_link_to_page(a, FAR[i], false);
    a = get("/users?page=200");
    expect_body(a, "rel=\"prev\"");
    ck_assert_ptr_null(strstr(a.body, "rel=\"next\""));
    expect_body(get("/users?page=201"), "There is nobody on this page.");
    json_t *all = json_in(get_as("/users?page=3", "application/json"), 200);
    ck_assert_int_eq(json_integer_value(json_object_get(all, "total")), 10000);
    json_decref(all);
}
END_TEST

START_TEST(a_page_of_users_that_is_not_there_is_an_answer_and_no_crash)
{
    static const char *const odd[] = {
        "0", "-1", "x", "1.5", "9223372036854775807", "9223372036854775808", "99999999999999999999",
        "", "%00", "1%20", "1;drop",
    };
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        char path[64];
        snprintf(path, sizeof path, "/users?page=%s", odd[i]);
        const int status = get(path).status;
        ck_assert_msg(status == 200 || status == 400 || status == 404, "%s: %d", path, status);
    }
    expect_problem(get("/users?page=x"), 400);
    const int beyond = get("/users?page=100000").status;
    ck_assert(beyond == 200 || beyond == 404);
}
END_TEST

START_TEST(a_user_is_a_page_with_their_posts)
{
    const answer a = get("/users/42");
    expect(a, 200, "text/html; charset=utf-8");
    expect_body(a, "<title>");
    expect_body(a, "@example.");
    expect_body(a, "<p>");                   /* Markdown became HTML */
    ck_assert_uint_gt(a.length, 1000);
}
END_TEST

START_TEST(a_user_is_json_for_those_who_accept_that)
{
    const answer a = get_as("/users/42", "application/json");
    json_t *all = json_in(a, 200);
    json_t *user = json_object_get(all, "user") ? json_object_get(all, "user") : all;
    json_t *posts = json_object_get(all, "posts");
    ck_assert_int_eq(json_integer_value(json_object_get(user, "id")), 42);
    ck_assert_uint_gt(json_string_length(json_object_get(user, "name")), 0);
    ck_assert_uint_gt(json_string_length(json_object_get(user, "email")), 0);
    ck_assert_uint_ge(json_array_size(posts), 1);
    json_t *post;
    size_t i;
    json_array_foreach(posts, i, post) {
        ck_assert(json_is_integer(json_object_get(post, "id")));
        ck_assert_uint_gt(json_string_length(json_object_get(post, "title")), 0);
        ck_assert_uint_gt(json_string_length(json_object_get(post, "body")), 0);
    }
    json_decref(all);
}
END_TEST

START_TEST(the_four_stages_answer_byte_for_byte_alike)
{
    static const char *const ids[] = {
        "42", "1", "10000", "10001", "0", "-1", "x", "42x", "4.2", "%34%32", "9223372036854775807",
        "9223372036854775808", "%00",
    };
    static const char *const accepts[] = { "text/html", "application/json" };
    static const char *const stages[] = { "promises", "callbacks", "sequential" };
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++)
        for (size_t k = 0; k < sizeof accepts / sizeof accepts[0]; k++) {
            char path[128];
            snprintf(path, sizeof path, "/users/%s", ids[i]);
            const answer a = get_as(path, accepts[k]);
            ck_assert_int_ne(a.status, 0);
            char *body = strdup(a.body), *type = strdup(header(&a, "Content-Type"));
            const int status = a.status;
            for (size_t s = 0; s < sizeof stages / sizeof stages[0]; s++) {
                snprintf(path, sizeof path, "/users/%s/%s", ids[i], stages[s]);
                const answer b = get_as(path, accepts[k]);
                ck_assert_msg(b.status == status, "%s: %d, not %d", path, b.status, status);
                ck_assert_str_eq(b.body, body);
                ck_assert_str_eq(header(&b, "Content-Type"), type);
            }
            free(body);
            free(type);
        }
}
END_TEST

START_TEST(an_unknown_user_is_404_and_no_whole_number_is_400)
{
    static const char *const unknown[] = { "10001", "0", "-1", "9223372036854775807" };
    static const char *const bad[] = {
        "x", "42x", "4.2", "1e3", "0x2a", "9223372036854775808", "99999999999999999999999", "%2042",
        "42%20", "%00", "42%00", "--1", "%2b",
    };
    char path[64];
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        snprintf(path, sizeof path, "/users/%s", unknown[i]);
        expect_problem(get(path), 404);
        expect(get_as(path, "text/html"), 404, "text/html");
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        snprintf(path, sizeof path, "/users/%s", bad[i]);
        const answer a = get(path);
        ck_assert_msg(a.status == 400, "%s: %d", path, a.status);
        expect_problem(a, 400);
        expect(get_as(path, "text/html"), 400, "text/html");
    }
}
END_TEST

START_TEST(database_routes_say_how_long_what_took)
{
    static const char *const paths[] = {
        "/users", "/users/42", "/users/42/promises", "/users/42/callbacks", "/users/42/sequential",
    };
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        const answer a = get(paths[i]);
        const char *timing = header(&a, "Server-Timing");
        ck_assert_msg(timing != NULL, "%s: %s", paths[i], a.head);
        double db = -1, render = -1, total = -1;
        const char *at = strstr(timing, "db;dur=");
        ck_assert_msg(at && sscanf(at, "db;dur=%lf", &db) == 1, "%s", timing);
        at = strstr(timing, "render;dur=");
        ck_assert_msg(at && sscanf(at, "render;dur=%lf", &render) == 1, "%s", timing);
        at = strstr(timing, "total;dur=");
        ck_assert_msg(at && sscanf(at, "total;dur=%lf", &total) == 1, "%s", timing);
        ck_assert_msg(db > 0 && render >= 0 && total >= db && total < 10000, "%s", timing);
    }
}
END_TEST

Suite *users_suite(void)
{
    Suite *s = suite_create("users");
    for (int database = 0; database < 2; database++) {
        TCase *t = database == 0 ? theme(s, "users-sqlite", on_sqlite)
                                 : theme(s, "users-postgres", on_postgres);
        tcase_add_test(t, users_come_fifty_a_page_with_next_and_previous);
        tcase_add_test(t, users_are_counted_and_there_are_links_to_pages_far_away);
        tcase_add_test(t, a_page_of_users_that_is_not_there_is_an_answer_and_no_crash);
        tcase_add_test(t, a_user_is_a_page_with_their_posts);
        tcase_add_test(t, a_user_is_json_for_those_who_accept_that);
        tcase_add_test(t, the_four_stages_answer_byte_for_byte_alike);
        tcase_add_test(t, an_unknown_user_is_404_and_no_whole_number_is_400);
        tcase_add_test(t, database_routes_say_how_long_what_took);
    }
    return s;
}
