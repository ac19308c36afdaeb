/* http_arena_items.c - the routes of HttpArena over the table items, by the rules of its validate.sh, on both databases; and
 * what it does not ask. */
#include "tests/scenarios/scenarios.h"

#include "tests/scenarios/support/items.h"
#include "tests/scenarios/support/postgres.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void on_sqlite(void) { server_start("items-sqlite", NULL); }
static void on_postgres(void) { server_start_on_postgres("items-postgres", NULL); }

START_TEST(async_db_finds_items_by_price)
{
    static const struct { int min, max, limit; } CASES[] = { { 5, 80, 7 }, { 20, 150, 18 }, { 100, 400, 33 }, { 10, 50, 50 } };
    char path[80];
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        snprintf(path, sizeof path, "/async-db?min=%d&max=%d&limit=%d", CASES[i].min, CASES[i].max, CASES[i].limit);
        json_t *whole = items_in(get(path), (size_t)CASES[i].limit, "count");
        for (int k = 0; k < CASES[i].limit; k++) {
            const int64_t price = number_of(json_array_get(json_object_get(whole, "items"), (size_t)k), "price");
            ck_assert(price >= CASES[i].min && price <= CASES[i].max);
        }
        json_decref(whole);
    }
    json_decref(items_in(get("/async-db"), 50, "count"));
    json_decref(items_in(get("/async-db?limit=1000"), 50, "count"));
    json_decref(items_in(get("/async-db?limit=0"), 1, "count"));
    ck_assert_str_eq(get("/async-db?min=9999&max=9999&limit=50").body, "{\"items\":[],\"count\":0}");
    json_decref(items_in(get("/async-db?min=-9223372036854775808&max=9223372036854775807&limit=1"), 1, "count"));
    expect_problem(get("/async-db?min=ten"), 400);
}
END_TEST

static void expect_page(const char *path, size_t count, const char *category, int page, int limit)
{
    json_t *whole = items_in(get(path), count, "total");
    ck_assert_int_eq(number_of(whole, "page"), page);
    ck_assert_int_eq(number_of(whole, "limit"), limit);
    int64_t before = 0;
    for (size_t i = 0; i < count; i++) {
        const json_t *item = json_array_get(json_object_get(whole, "items"), i);
        ck_assert_str_eq(json_string_value(json_object_get(item, "category")), category);
        ck_assert_int_gt(number_of(item, "id"), before);
        before = number_of(item, "id");
    }
    json_decref(whole);
}

START_TEST(crud_lists_pages_of_a_category)
{
    expect_page("/crud/items?category=electronics&page=1&limit=5", 5, "electronics", 1, 5);
    expect_page("/crud/items", 10, "electronics", 1, 10);
    expect_page("/crud/items?category=office&page=10", 10, "office", 10, 10);
    expect_page("/crud/items?category=tools&limit=500", 50, "tools", 1, 50);
    expect_page("/crud/items?category=none", 0, "none", 1, 10);
    expect_page("/crud/items?category=%27%20or%201=1", 0, "none", 1, 10);
    expect_problem(get("/crud/items?page=0"), 400);
    expect_problem(get("/crud/items?limit=x"), 400);
    expect_problem(get("/crud/items?category=%00"), 400);
}
END_TEST

static bool cached(const char *path)
{
    const answer a = get(path);
    json_t *item = json_in(a, 200);
    expect_item(item);
    ck_assert_int_eq(number_of(item, "id"), atoi(strrchr(path, '/') + 1));
    json_decref(item);
    const bool hit = header_is(&a, "X-Cache", "HIT");
    ck_assert(hit || header_is(&a, "X-Cache", "MISS"));
    return hit;
}

START_TEST(crud_reads_an_item_from_the_cache_for_a_moment_and_no_longer)
{
    ck_assert(!cached("/crud/items/42"));
    ck_assert(eventually(5, cached("/crud/items/42")));      /* at once, unless a busy machine took longer than it lasts */
    ck_assert(eventually(5, !cached("/crud/items/42")));     /* to be asked for does not make it younger */
    ck_assert(!cached("/crud/items/65578"));                 /* has the same place */
    expect_problem(get("/crud/items/999999"), 404);
    expect_problem(get("/crud/items/x"), 400);
}
END_TEST

static answer send_item(const char *method, const char *path, const char *headers, const char *json)
{
    char request[1024];
    snprintf(request, sizeof request, "%s %s HTTP/1.1\r\nHost: t\r\nConnection: close\r\nContent-Type: application/json\r\n"
             "%sContent-Length: %zu\r\n\r\n%s", method, path, headers, strlen(json), json);
    return ask(request);
}

static void expect_stored(answer a, int status, const char *name, int price, int quantity)
{
    json_t *item = json_in(a, status);
    expect_item(item);
    ck_assert_str_eq(json_string_value(json_object_get(item, "name")), name);
    ck_assert_int_eq(number_of(item, "price"), price);
    ck_assert_int_eq(number_of(item, "quantity"), quantity);
    json_decref(item);
}

START_TEST(crud_stores_items_and_forgets_what_it_had_cached)
{
    static const char ITEM[] = "/crud/items/200001";
    for (int round = 0; round < 2; round++) {                /* the second time in its place */
        cached(round ? ITEM : "/crud/items/1");
        const answer a = send_item("POST", "/crud/items", "",
                                   "{\"id\":200001,\"name\":\"ValidateItem\",\"category\":\"test\",\"price\":42,\"quantity\":7}");
        ck_assert(header_is(&a, "Location", ITEM));
        expect_stored(a, 201, "ValidateItem", 42, 7);
        ck_assert(!cached(ITEM));
        expect_stored(get(ITEM), 200, "ValidateItem", 42, 7);
        expect_stored(send_item("PUT", ITEM, "", "{\"name\":\"U\\u00fcU\",\"category\":\"test\",\"price\":99,\"quantity\":1}"),
                      200, "UüU", 99, 1);
        ck_assert(!cached(ITEM));
        expect_stored(get(ITEM), 200, "UüU", 99, 1);
    }
    const answer kept = send_item("PUT", ITEM, "", "{\"name\":\"N\",\"price\":-1,\"quantity\":0}");
    expect_body(kept, "\"category\":\"test\"");
    expect_problem(send_item("PUT", "/crud/items/999999", "", "{\"name\":\"N\",\"price\":1,\"quantity\":0}"), 404);
}
END_TEST

START_TEST(crud_takes_nothing_that_is_no_item)
{
    static const struct { const char *json; int status; } CASES[] = {
        { "{", 400 }, { "[]", 422 }, { "{}", 422 },
        { "{\"id\":1,\"name\":\"N\",\"category\":\"c\",\"price\":\"1\",\"quantity\":1}", 422 },
        { "{\"id\":1,\"name\":\"\",\"category\":\"c\",\"price\":1,\"quantity\":1}", 422 },
        { "{\"id\":1,\"name\":\"N\",\"price\":1,\"quantity\":1}", 422 },
        { "{\"id\":4294967296,\"name\":\"N\",\"category\":\"c\",\"price\":1,\"quantity\":1}", 422 },
        { "{\"id\":1,\"name\":\"N\",\"category\":\"c\",\"price\":4294967296,\"quantity\":1}", 422 },
        { "{\"id\":1,\"name\":\"N\\u0000\",\"category\":\"c\",\"price\":1,\"quantity\":1}", 422 },
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++)
        expect_problem(send_item("POST", "/crud/items", "", CASES[i].json), CASES[i].status);
    expect_problem(post("/crud/items", "text/plain", "{}"), 415);
    static const char GOOD[] = "{\"id\":1,\"name\":\"N\",\"category\":\"c\",\"price\":1,\"quantity\":1}";
    expect_problem(send_item("PUT", "/crud/items/1", "If-Match: \"x\"\r\n", GOOD), 412);
    expect_problem(send_item("POST", "/crud/items", "If-None-Match: *\r\n", GOOD), 412);
    expect_problem(send_item("PUT", "/crud/items/x", "", GOOD), 400);
    expect_problem(send_item("DELETE", "/crud/items/1", "", GOOD), 405);
    expect_stored(send_item("PUT", "/crud/items/1", "If-Match: *\r\n", GOOD), 200, "N", 1, 1);
}
END_TEST

/* Which has no other tables of ours, and was not made by --init-db. */
START_TEST(the_arena_s_own_database_will_do)
{
    char url[256], *name;
    cluster_ask(postgres(), "set client_min_messages = warning; drop schema if exists arena cascade;"
                            " create schema arena authorization tenk;"
                            " create table arena.items (id integer primary key, name text not null, category text not null,"
                            " price integer not null, quantity integer not null, active boolean not null, tags jsonb not null,"
                            " rating_score integer not null, rating_count integer not null);"
                            " alter table arena.items owner to tenk;"
                            " insert into arena.items select i, 'Widget ' || i, 'electronics', i, 1, true, '[\"sale\"]', 1, 2"
                            " from generate_series(1, 100) i; select 1");
    snprintf(url, sizeof url, "DATABASE_URL=%s?options=-csearch_path%%3Darena", postgres_url());
    name = strstr(url, "postgresql:");       /* as the arena spells it */
    memmove(name + strlen("postgres"), name + strlen("postgresql"), strlen(name + strlen("postgresql")) + 1);
    server_start("http-arena-db", url, NULL);
    ck_assert(eventually(5, get("/async-db").status == 200));
    json_decref(items_in(get("/async-db?min=10&max=50&limit=50"), 41, "count"));
    expect_stored(get("/crud/items/7"), 200, "Widget 7", 7, 1);
    expect_stored(send_item("POST", "/crud/items", "",
                            "{\"id\":200001,\"name\":\"V\",\"category\":\"test\",\"price\":42,\"quantity\":7}"), 201, "V", 42, 7);
    expect_problem(get("/db"), 500);
    server_stop();
    cluster_ask(postgres(), "drop schema arena cascade; select 1");
}
END_TEST

Suite *http_arena_items_suite(void)
{
    Suite *s = suite_create("http_arena_items");
    for (int database = 0; database < 2; database++) {
        TCase *t = database == 0 ? theme(s, "items-sqlite", on_sqlite) : theme(s, "items-postgres", on_postgres);
        tcase_add_test(t, async_db_finds_items_by_price);
        tcase_add_test(t, crud_lists_pages_of_a_category);
        tcase_add_test(t, crud_reads_an_item_from_the_cache_for_a_moment_and_no_longer);
        tcase_add_test(t, crud_stores_items_and_forgets_what_it_had_cached);
        tcase_add_test(t, crud_takes_nothing_that_is_no_item);
    }
    tcase_add_test(postgres_theme(s, "http-arena-db"), the_arena_s_own_database_will_do);
    return s;
}
