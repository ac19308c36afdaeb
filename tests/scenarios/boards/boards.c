/* boards.c - the routes of public benchmarks, by the rules of TechEmpower's verifier, on both databases. */
#include "tests/scenarios/scenarios.h"

#include "tests/scenarios/support/json.h"
#include "tests/scenarios/support/postgres.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROWS = 10000, MOST = 500 };

static bool on_postgres_now;

/* Whom a slow machine refuses is another theme. */
#define NOBODY_IS_REFUSED "TENK_DATABASE_TARGET=0"

static void on_sqlite(void)
{
    on_postgres_now = false;
    server_start("boards-sqlite", NOBODY_IS_REFUSED, NULL);
}

static void on_postgres(void)
{
    on_postgres_now = true;
    server_start_on_postgres("boards-postgres", NOBODY_IS_REFUSED, NULL);
}

static const char *sqlite_path(void)
{
    static char path[200];
    snprintf(path, sizeof path, "%s/tenk.db", here.folder);
    return path;
}

static int first_cell(void *answer, int columns, char *cells[], char *names[])
{
    (void)columns, (void)names;
    *(int *)answer = atoi(cells[0]);
    return 0;
}

/* Asked of the database itself; 0 if there is no answer. */
static int asked(const char *sql)
{
    if (on_postgres_now)
        return sql_int(sql);
    sqlite3 *s;
    char *why = NULL;
    int answer = 0;
    ck_assert_int_eq(sqlite3_open(sqlite_path(), &s), SQLITE_OK);
    sqlite3_busy_timeout(s, 5000);
    ck_assert_msg(sqlite3_exec(s, sql, first_cell, &answer, &why) == SQLITE_OK, "%s", why);
    sqlite3_close(s);
    return answer;
}

static int stored(int id)
{
    char sql[64];
    snprintf(sql, sizeof sql, "select randomnumber from world where id = %d", id);
    return asked(sql);
}

/* What every answer of theirs must have, once. */
static void expect_headers(answer a, const char *type)
{
    char length[16];
    struct tm then;
    snprintf(length, sizeof length, "%zu", a.length);
    ck_assert_int_eq(a.status, 200);
    ck_assert_msg(header_is(&a, "Content-Type", type), "%s", a.head);
    ck_assert_msg(header_is(&a, "Content-Length", length), "%s", a.head);
    ck_assert_msg(header_count(&a, "Server") == 1 && header_count(&a, "Date") == 1, "%s", a.head);
    const char *rest = strptime(header(&a, "Date"), "%a, %d %b %Y %H:%M:%S GMT", &then);
    ck_assert_msg(rest && *rest == '\0', "Date: %s", header(&a, "Date"));
}

static int id_of(const json_t *world)
{
    const int64_t id = number_of(world, "id"), number = number_of(world, "randomNumber");
    ck_assert_uint_eq(json_object_size(world), 2);
    ck_assert_msg(id >= 1 && id <= ROWS && number >= 1 && number <= ROWS, "%lld: %lld", (long long)id, (long long)number);
    return (int)id;
}

static json_t *worlds_at(const char *path, const char *count, size_t expected)
{
    char whole[128];
    snprintf(whole, sizeof whole, "%s%s", path, count);
    const answer a = get(whole);
    expect_headers(a, "application/json");
    json_t *all = json_in(a, 200), *one;
    size_t i;
    ck_assert_msg(json_is_array(all) && json_array_size(all) == expected, "%s: %.200s", whole, a.body);
    json_array_foreach(all, i, one)
        id_of(one);
    return all;
}

START_TEST(db_is_one_row_of_the_table_and_another_one_each_time)
{
    int others = 0, first = 0;
    for (int i = 0; i < 10; i++) {
        const answer a = get("/db");
        expect_headers(a, "application/json");
        json_t *world = json_in(a, 200);
        const int id = id_of(world);
        ck_assert_int_eq(number_of(world, "randomNumber"), stored(id));
        others += i > 0 && id != first;
        first = i == 0 ? id : first;
        json_decref(world);
    }
    ck_assert_int_gt(others, 0);
}
END_TEST

START_TEST(there_are_as_many_rows_as_are_asked_for_from_1_to_500)
{
    static const struct { const char *count; size_t rows; } CASES[] = {
        { "2", 2 }, { "20", 20 }, { "0", 1 }, { "-1", 1 }, { "-500", 1 }, { "foo", 1 }, { "", 1 }, { "1.5", 1 }, { "20x", 1 },
        { "500", MOST }, { "501", MOST }, { "10000000000000000000000", MOST }, { "020", 20 },
    };
    static const char *const ROUTES[][2] = {
        { "/queries", "?queries=" }, { "/updates", "?queries=" }, { "/cached-queries", "?count=" },
    };
    for (size_t r = 0; r < 3; r++) {
        char path[64];
        json_decref(worlds_at(ROUTES[r][0], "", 1));
        snprintf(path, sizeof path, "%s%s", ROUTES[r][0], ROUTES[r][1]);
        for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++)
            json_decref(worlds_at(path, CASES[i].count, CASES[i].rows));
    }
}
END_TEST

START_TEST(queries_reads_rows_as_they_are_stored)
{
    json_t *all = worlds_at("/queries?queries=", "20", 20), *world;
    size_t i;
    int others = 0;
    json_array_foreach(all, i, world) {
        ck_assert_int_eq(number_of(world, "randomNumber"), stored(id_of(world)));
        others += id_of(world) != id_of(json_array_get(all, 0));
    }
    ck_assert_int_gt(others, 0);
    json_decref(all);
}
END_TEST

START_TEST(updates_stores_what_it_answers_and_changes_nothing_else)
{
    asked("update world set randomnumber = 0");
    json_t *all = worlds_at("/updates?queries=", "500", MOST), *world;
    size_t i;
    int last = 0, others = 0;
    json_array_foreach(all, i, world) {
        ck_assert_int_gt(id_of(world), last);                /* so that each row is stored as it is told */
        last = id_of(world);
        others += number_of(world, "randomNumber") != number_of(json_array_get(all, 0), "randomNumber");
        if (i % 50 == 0)
            ck_assert_int_eq(number_of(world, "randomNumber"), stored(last));
    }
    ck_assert_int_gt(others, 0);
    ck_assert_int_eq(asked("select count(*) from world where randomnumber > 0"), MOST);
    json_decref(all);
    asked("update world set randomnumber = id");
}
END_TEST

START_TEST(many_updates_of_the_same_rows_at_once_all_succeed)
{
    enum { CLIENTS = 8 };
    client *c[CLIENTS];
    for (int i = 0; i < CLIENTS; i++)
        c[i] = client_asking("/updates?queries=500");
    for (int i = 0; i < CLIENTS; i++) {
        expect(client_answer(c[i]), 200, "application/json");
        client_free(c[i]);
    }
}
END_TEST

START_TEST(fortunes_is_the_page_that_the_benchmark_has)
{
    static const char PAGE[] =
        "<!DOCTYPE html><html><head><title>Fortunes</title></head><body><table><tr><th>id</th><th>message</th></tr>"
        "<tr><td>11</td><td>&lt;script&gt;alert(&quot;This should not be displayed in a browser alert box.&quot;);"
        "&lt;/script&gt;</td></tr>"
        "<tr><td>4</td><td>A bad random number generator: 1, 1, 1, 1, 1, 4.33e+67, 1, 1, 1</td></tr>"
        "<tr><td>5</td><td>A computer program does what you tell it to do, not what you want it to do.</td></tr>"
        "<tr><td>2</td><td>A computer scientist is someone who fixes things that aren&#39;t broken.</td></tr>"
        "<tr><td>8</td><td>A list is only as strong as its weakest link. — Donald Knuth</td></tr>"
        "<tr><td>0</td><td>Additional fortune added at request time.</td></tr>"
        "<tr><td>3</td><td>After enough decimal places, nobody gives a damn.</td></tr>"
        "<tr><td>7</td><td>Any program that runs right is obsolete.</td></tr>"
        "<tr><td>10</td><td>Computers make very fast, very accurate mistakes.</td></tr>"
        "<tr><td>6</td><td>Emacs is a nice operating system, but I prefer UNIX. — Tom Christaensen</td></tr>"
        "<tr><td>9</td><td>Feature: A bug with seniority.</td></tr>"
        "<tr><td>1</td><td>fortune: No such file or directory</td></tr>"
        "<tr><td>12</td><td>フレームワークのベンチマーク</td></tr>"
        "</table></body></html>";
    const answer a = get("/fortunes");
    expect_headers(a, "text/html; charset=utf-8");
    ck_assert_str_eq(a.body, PAGE);
}
END_TEST

START_TEST(fortunes_has_whatever_the_table_has)
{
    asked("insert into fortune (id, message) values (13, 'A'), (14, '')");
    const answer a = get("/fortunes");
    expect_body(a, "</th></tr><tr><td>14</td><td></td></tr><tr><td>11</td>");
    expect_body(a, "</td></tr><tr><td>13</td><td>A</td></tr><tr><td>4</td>");
    asked("delete from fortune where id > 12");
    ck_assert_ptr_null(strstr(get("/fortunes").body, "<td>13</td>"));
}
END_TEST

START_TEST(cached_queries_asks_the_database_only_for_what_it_has_not_read)
{
    json_t *first = worlds_at("/cached-queries?count=", "500", MOST), *world;
    int64_t kept[ROWS + 1] = { 0 };
    size_t i, old = 0, fresh = 0;
    json_array_foreach(first, i, world)
        kept[id_of(world)] = number_of(world, "randomNumber");
    asked("update world set randomnumber = 1 + 10000 - id");
    json_t *next = worlds_at("/cached-queries?count=", "500", MOST);
    json_array_foreach(next, i, world) {
        const int id = id_of(world);
        const int64_t number = number_of(world, "randomNumber");
        ck_assert(!kept[id] || number == kept[id]);
        old += kept[id] != 0;
        fresh += !kept[id] && number == 1 + ROWS - id;
    }
    ck_assert_uint_gt(fresh, 0);
    ck_assert_uint_gt(old, 0);
    json_decref(first);
    json_decref(next);
    asked("update world set randomnumber = id");
}
END_TEST

static void drop_tables(void)
{
    asked("drop table fortune");
    asked("drop table world");
    asked("drop table items");
}

static void init_db(void)
{
    char url[300], out[1024];
    if (on_postgres_now)
        snprintf(url, sizeof url, "DATABASE_URL=%s", postgres_url());
    else
        snprintf(url, sizeof url, "DATABASE_URL=sqlite:%s", sqlite_path());
    ck_assert_msg(tenk_run(out, sizeof out, url, "--init-db", NULL) == 0, "%s", out);
}

START_TEST(an_old_database_is_said_to_lack_the_tables_and_gets_them_by_init_db)
{
    static const char *const PATHS[] = { "/db", "/queries?queries=3", "/updates", "/fortunes", "/async-db", "/crud/items/1" };
    drop_tables();
    for (size_t i = 0; i < sizeof PATHS / sizeof *PATHS; i++) {
        const answer a = get(PATHS[i]);
        expect_problem(a, 500);
        expect_body(a, "--init-db");
    }
    init_db();
    init_db();                               /* and leaves them alone */
    for (size_t i = 0; i < sizeof PATHS / sizeof *PATHS; i++)
        expect(get(PATHS[i]), 200, NULL);
    ck_assert_int_eq(asked("select count(*) from world where randomnumber between 1 and 10000 and id between 1 and 10000"), ROWS);
    ck_assert_int_eq(asked("select count(*) from fortune"), 12);
}
END_TEST

START_TEST(a_row_that_is_not_there_is_named)
{
    asked("delete from world");
    const answer a = get("/db");
    expect_problem(a, 500);
    expect_body(a, "has no row");
    drop_tables();
    init_db();
}
END_TEST

Suite *boards_suite(void)
{
    Suite *s = suite_create("boards");
    for (int database = 0; database < 2; database++) {
        TCase *t = database == 0 ? theme(s, "boards-sqlite", on_sqlite) : theme(s, "boards-postgres", on_postgres);
        tcase_add_test(t, db_is_one_row_of_the_table_and_another_one_each_time);
        tcase_add_test(t, there_are_as_many_rows_as_are_asked_for_from_1_to_500);
        tcase_add_test(t, queries_reads_rows_as_they_are_stored);
        tcase_add_test(t, updates_stores_what_it_answers_and_changes_nothing_else);
        tcase_add_test(t, many_updates_of_the_same_rows_at_once_all_succeed);
        tcase_add_test(t, fortunes_is_the_page_that_the_benchmark_has);
        tcase_add_test(t, fortunes_has_whatever_the_table_has);
        tcase_add_test(t, cached_queries_asks_the_database_only_for_what_it_has_not_read);
        tcase_add_test(t, an_old_database_is_said_to_lack_the_tables_and_gets_them_by_init_db);
        tcase_add_test(t, a_row_that_is_not_there_is_named);
    }
    return s;
}
