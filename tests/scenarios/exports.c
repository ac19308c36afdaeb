/* exports.c - GET /export.ndjson and GET /users/:id/posts.ndjson: all of it, once, in pieces; and whoever does not take it. */
#include "scenarios.h"

#include "tests/scenarios/support/import.h"
#include "tests/scenarios/support/postgres.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* With so few connections, those to the database are always the same descriptors; and who held one would be in the way. */
#define ONE_READER     "TENK_DATABASE_READERS=1"
#define ONE_CONNECTION "TENK_DATABASE_CONNECTIONS=1"

static void on_sqlite(void)   { server_start("exports-sqlite", ONE_READER, NULL); }
static void on_postgres(void) { server_start_on_postgres("exports-postgres", ONE_CONNECTION, NULL); }

#define EXPORT "GET /export.ndjson HTTP/1.1\r\nHost: t\r\n\r\n"
#define EXPORT_1_0 "GET /export.ndjson HTTP/1.0\r\n\r\n"
#define LAST_CHUNK "\r\n0\r\n\r\n"

/* Posts of a user in an export, which has nothing else in it, each once and in order. */
static int posts_in(answer a, int user)
{
    int64_t before = INT64_MIN;
    int count = 0;
    expect(a, 200, NDJSON);
    for (const char *line = a.body, *end; *line; line = end + 1, count++) {
        ck_assert_ptr_nonnull(end = strchr(line, '\n'));
        json_t *post = json_loadb(line, (size_t)(end - line), 0, NULL);
        ck_assert_msg(post != NULL, "no JSON: %.*s", (int)(end - line), line);
        ck_assert(number_of(post, "id") > before && number_of(post, "created_at") > 0);
        ck_assert(json_is_string(json_object_get(post, "title")) && json_is_string(json_object_get(post, "body")));
        ck_assert(!user || number_of(post, "user_id") == user);
        before = number_of(post, "id");
        json_decref(post);
    }
    return count;
}

static int lines_in(answer a)
{
    int count = 0;
    expect(a, 200, NDJSON);
    for (const char *at = a.body; (at = strchr(at, '\n')); at++)
        count++;
    return count;
}

static int posts_of(int user)
{
    char path[64];
    snprintf(path, sizeof path, "/users/%d/posts.ndjson", user);
    return posts_in(get(path), user);
}

/* Of a client that takes nothing yet. */
static client *stalled(const char *request)
{
    client *c = client_small(4096);
    client_say(c, request);
    ck_assert(eventually(5, !client_quiet(c)));
    return c;
}

START_TEST(a_line_is_a_post_as_it_is_answered_elsewhere)
{
    const answer a = get("/users/42/posts.ndjson");
    ck_assert(header_is(&a, "Transfer-Encoding", "chunked"));
    ck_assert(header_is(&a, "Content-Disposition", "attachment; filename=\"posts-of-42.ndjson\""));
    char *first = strndup(a.body, strcspn(a.body, "\n")), path[64];
    json_t *post = json_loads(first, 0, NULL);
    snprintf(path, sizeof path, "/posts/%lld", (long long)number_of(post, "id"));
    ck_assert_str_eq(get_as(path, "application/json").body, first);
    json_decref(post);
    free(first);
}
END_TEST

START_TEST(who_has_no_posts_has_no_lines)
{
    ck_assert_int_eq(posts_of(5000), 0);
}
END_TEST

START_TEST(who_is_not_there_is_404)
{
    expect_problem(get("/users/99999999/posts.ndjson"), 404);
    expect_problem(get("/users/x/posts.ndjson"), 400);
    const answer a = get("/export.ndjson");
    ck_assert(header_is(&a, "Content-Disposition", "attachment; filename=\"posts.ndjson\""));
}
END_TEST

/* A page has 20 posts. */
START_TEST(what_is_exported_can_be_imported_whatever_the_number)
{
    static const int MORE[] = { 1, 18, 1, 1, 19, 40 };
    int count = posts_of(777);
    for (size_t i = 0; i < sizeof MORE / sizeof *MORE; i++, count += MORE[i - 1]) {
        char *lines = many_lines(MORE[i], 777, "exported \\u00e9 \\\"\\\\", 100);
        ck_assert_int_eq(posts_of(777), count);
        import(lines, MORE[i], 0, MORE[i], 0);
        free(lines);
    }
    ck_assert_int_eq(posts_of(777), count);
    char *all = strdup(get("/users/777/posts.ndjson").body);
    import(all, count, 0, count, 0);
    ck_assert_int_eq(posts_of(777), 2 * count);
    free(all);
}
END_TEST

START_TEST(an_export_has_all_posts_and_the_connection_goes_on)
{
    client *c = client_new();
    client_set_timeout(c, 60);
    client_say(c, "HEAD /export.ndjson HTTP/1.1\r\nHost: t\r\n\r\n" EXPORT EXPORT "GET /json HTTP/1.1\r\nHost: t\r\n\r\n");
    const answer head = client_answer_to_head(c);
    expect(head, 200, NDJSON);
    ck_assert(header_is(&head, "Transfer-Encoding", "chunked"));
    const answer first = client_answer(c);
    char *all = strdup(first.body);
    ck_assert_int_ge(posts_in(first, 0), 10000);
    ck_assert(strcmp(client_answer(c).body, all) == 0);
    free(all);
    expect(client_answer(c), 200, "application/json");
    client_free(c);
}
END_TEST

START_TEST(to_http_1_0_it_ends_with_the_connection)
{
    char *body = strdup(get("/users/42/posts.ndjson").body);
    client *c = client_new();
    client_say(c, "GET /users/42/posts.ndjson HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /json HTTP/1.0\r\n\r\n");
    const char *all = client_rest(c), *end = strstr(all, "\r\n\r\n");
    ck_assert(end && strstr(all, "\r\nConnection: close\r\n") && !strstr(all, "chunked"));
    ck_assert_str_eq(end + 4, body);
    client_free(c);
    free(body);
}
END_TEST

/* Of a server that has opened what it will; a client whose connection is among them stays. */
static int descriptors_at_rest(client **stays)
{
    *stays = client_asking("/users/42");
    expect(client_answer(*stays), 200, NULL);
    return server_descriptors();
}

START_TEST(of_a_client_that_leaves_half_way_nothing_is_left)
{
    client *stays;
    const int before = descriptors_at_rest(&stays);
    for (int i = 0; i < 6; i++) {
        client *c = stalled(i % 3 ? EXPORT : EXPORT_1_0);
        i % 2 ? client_reset(c) : client_free(c);
    }
    ck_assert_msg(eventually(5, server_descriptors() <= before), "%d descriptors, and %d before", server_descriptors(), before);
    ck_assert_int_eq(posts_of(42), 10);
    client_free(stays);
}
END_TEST

START_TEST(memory_does_not_grow_with_what_a_reader_does_not_take)
{
    enum { EACH = 50000, READERS = 4 };
    const int count = scaled(1000);
    client *slow[READERS];
    server_start("exports", "TENK_DATABASE_CACHE=2MiB", NULL);
    char *lines = many_lines(count, 700, "long", EACH);      /* 50 MB */
    import(lines, count, 0, count, 0);
    free(lines);
    client *c = client_asking("/export.ndjson");             /* warms up */
    client_set_timeout(c, 60);
    ck_assert_int_ge(lines_in(client_answer(c)), count);
    const long before = server_resident();
    for (int i = 0; i < READERS; i++)
        slow[i] = stalled("GET /users/700/posts.ndjson HTTP/1.1\r\nHost: t\r\n\r\n");
    client_say(c, EXPORT);
    ck_assert_int_ge(lines_in(client_answer(c)), count);
    const long grown = server_resident() - before;
    /* Five pages, each of 1 MB as rows and as much as lines, and the caches of a few connections; one reader's all is 50 MB. */
    if (!run_slowed())
        ck_assert_msg(grown < 24L << 20, "it grew by %ld KiB", grown >> 10);
    for (int i = 0; i < READERS; i++)
        client_free(slow[i]);
    client_free(c);
    server_stop();
}
END_TEST

/* What came is the beginning of an export: not all of it, and the client can tell. */
static void expect_broken_off(client *c, bool by_reset)
{
    static const char END[] = LAST_CHUNK;
    const char *all = client_rest(c);
    const size_t length = strlen(all);
    ck_assert(strstr(all, "HTTP/1.1 200 OK\r\n") == all && length > 2000);
    ck_assert(length > sizeof END && strcmp(all + length - (sizeof END - 1), END) != 0);
    client_drain(c);
    ck_assert_msg(client_let_go(c) == !by_reset, "it was%s reset", by_reset ? " not" : "");
    client_free(c);
}

START_TEST(a_reader_that_takes_nothing_is_cut_off_and_can_tell)
{
    server_start("exports", "TENK_TIMEOUTS_WRITE=300ms", ONE_READER, NULL);
    client *stays;
    const int before = descriptors_at_rest(&stays);
    client *c = stalled(EXPORT), *old = stalled(EXPORT_1_0);
    ck_assert_msg(eventually(run_slowed() ? 30 : 10, server_descriptors() <= before), "%d descriptors, and %d before",
                  server_descriptors(), before);
    client_free(stays);
    expect_broken_off(c, false);
    expect_broken_off(old, true);
    server_stop();
}
END_TEST

START_TEST(a_server_that_stops_leaves_the_end_out)
{
    server_start("exports", "TENK_TIMEOUTS_DRAIN=300ms", NULL);
    client *c = stalled(EXPORT), *old = stalled(EXPORT_1_0);
    server_signal(SIGTERM);
    ck_assert_int_eq(server_wait(), 1);
    expect_broken_off(c, false);
    expect_broken_off(old, true);
}
END_TEST

START_TEST(a_database_that_goes_away_half_way_leaves_the_end_out)
{
    server_start_on_postgres("exports", NULL);
    until_200("/users/42");
    client *c = stalled(EXPORT), *old = stalled(EXPORT_1_0);
    cluster_stop(postgres());
    expect_broken_off(c, false);
    expect_broken_off(old, true);
    expect_unavailable(get("/export.ndjson"));
    expect_unavailable(get("/users/42/posts.ndjson"));
    cluster_start(postgres());
    until_200("/users/42");
    ck_assert_int_eq(posts_of(42), 10);
    server_stop();
}
END_TEST

#define BUSY "select count(*) from pg_stat_activity where usename = 'tenk' and state <> 'idle'"

START_TEST(a_reader_that_takes_nothing_holds_nothing_of_the_database)
{
    server_start_on_postgres("exports", NULL);
    until_200("/users/42");
    for (int i = 0; i < 4; i++) {
        client *c = stalled(EXPORT);
        ck_assert(eventually(5, sql_int(BUSY) == 0));
        client_reset(c);
    }
    ck_assert_int_eq(posts_of(42), 10);
    server_stop();
}
END_TEST

Suite *exports_suite(void)
{
    Suite *s = suite_create("exports");
    for (int database = 0; database < 2; database++) {
        TCase *t = database == 0 ? theme(s, "exports-sqlite", on_sqlite) : theme(s, "exports-postgres", on_postgres);
        tcase_add_test(t, a_line_is_a_post_as_it_is_answered_elsewhere);
        tcase_add_test(t, who_is_not_there_is_404);
        tcase_add_test(t, what_is_exported_can_be_imported_whatever_the_number);
        tcase_add_test(t, an_export_has_all_posts_and_the_connection_goes_on);
        tcase_add_test(t, to_http_1_0_it_ends_with_the_connection);
        tcase_add_test(t, of_a_client_that_leaves_half_way_nothing_is_left);
        if (database == 0)                   /* of the other each user has posts */
            tcase_add_test(t, who_has_no_posts_has_no_lines);
    }
    TCase *t = theme(s, "exports", NULL);
    tcase_add_test(t, memory_does_not_grow_with_what_a_reader_does_not_take);
    tcase_add_test(t, a_reader_that_takes_nothing_is_cut_off_and_can_tell);
    tcase_add_test(t, a_server_that_stops_leaves_the_end_out);
    t = postgres_theme(s, "exports");
    tcase_add_test(t, a_database_that_goes_away_half_way_leaves_the_end_out);
    tcase_add_test(t, a_reader_that_takes_nothing_holds_nothing_of_the_database);
    return s;
}
