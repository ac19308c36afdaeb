/* overload.c - more requests than the database can serve: who is refused hears why, who asks for something else
 * notices nothing, and afterwards all is as before. */
#include "tests/scenarios/support/json.h"
#include "tests/scenarios/scenarios.h"

#include <stdio.h>
#include <string.h>

enum { CROWD = 200, EACH = 8 };

static const char MANY[] = "GET /users?page=200 HTTP/1.1\r\nHost: t\r\nAccept: application/json\r\n\r\n";

/* One reader, and no request waits for longer than 5 ms while the queue stands. */
static void with_little_patience(void)
{
    server_start("overload", "--workers", "1", "TENK_DATABASE_READERS=1", "TENK_DATABASE_TARGET=5ms",
                 "TENK_DATABASE_LINE_TIMEOUT=60s", NULL);
}

static client *ask_ahead(void)
{
    char words[EACH * sizeof MANY] = "";
    client *c = client_new();
    for (int i = 0; i < EACH; i++)
        strcat(words, MANY);
    ck_assert(client_say(c, words));
    return c;
}

static int64_t refused(const char *why)
{
    json_t *stats = json_in(get("/stats"), 200), *n = json_object_get(json_object_get(stats, "refused"), why);
    const int64_t count = n ? json_integer_value(n) : 0;
    json_decref(stats);
    return count;
}

static void expect_refusal(answer a)
{
    expect_unavailable(a);
    json_t *problem = json_in(a, 503);
    ck_assert_str_eq(json_string_value(json_object_get(problem, "limit")), "[database] target");
    ck_assert_int_eq(number_of(problem, "limit_ms"), 5);
    ck_assert(json_is_number(json_object_get(problem, "waited_ms")));
    ck_assert_ptr_nonnull(strstr(json_string_value(json_object_get(problem, "detail")), "[database] target allows 5 ms"));
    json_decref(problem);
}

START_TEST(who_is_refused_hears_why_and_is_counted)
{
    int good = 0, refusals = 0;
    client *c[CROWD];
    while (refusals == 0) {
        for (int i = 0; i < CROWD; i++)
            c[i] = ask_ahead();
        for (int i = 0; i < CROWD; i++) {
            for (int k = 0; k < EACH; k++) {
                const answer a = client_answer(c[i]);
                good += a.status == 200;
                if (a.status == 200)
                    continue;
                expect_refusal(a);
                refusals++;
            }
            client_free(c[i]);
        }
    }
    ck_assert_int_gt(good, 0);
    ck_assert_int_eq(refused("database_wait") + refused("database_ahead"), refusals);
    expect(get("/users/42"), 200, "text/html");
}
END_TEST

START_TEST(routes_that_need_no_database_are_always_answered)
{
    client *c[CROWD];
    for (int i = 0; i < CROWD; i++)
        c[i] = ask_ahead();
    for (int i = 0; i < 20; i++) {
        expect(get("/plaintext"), 200, "text/plain");
        expect(get("/healthz"), 200, NULL);
    }
    for (int i = 0; i < CROWD; i++) {
        for (int k = 0; k < EACH; k++)
            ck_assert_int_ne(client_answer(c[i]).status, 0);
        client_free(c[i]);
    }
}
END_TEST

Suite *overload_suite(void)
{
    Suite *s = suite_create("overload");
    TCase *t = theme(s, "overload", with_little_patience);
    tcase_add_test(t, who_is_refused_hears_why_and_is_counted);
    tcase_add_test(t, routes_that_need_no_database_are_always_answered);
    return s;
}
