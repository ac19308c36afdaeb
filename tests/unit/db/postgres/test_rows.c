/* test_rows.c - columns of any type in PostgreSQL, from a loop and from a blocking thread, as db.h has them. */
#include "fixture.h"
#include "tests/unit/suites.h"
#include "tests/support/support.h"

#include <math.h>

#define KINDS_SQL \
    "select $1::int8, 7::int2, -70000::int4, 12.00::numeric, 0.1::float8, 1.5::float4, 'NaN'::numeric, 3::int4," \
    " true, false, null::int8, null::numeric, null::bool, true, '', null::text"

/* A short row is copied; one that is long, or has others beside it, is not. */
static const statement KINDS[] = {
    { "kinds", KINDS_SQL, true, "iiiiffffbbIFBBtt" },
    { "kinds_of_two", KINDS_SQL " from generate_series(1, 2)", true, "iiiiffffbbIFBBtt" },
    { "kinds_and_long", KINDS_SQL ", repeat('x', 10000)", true, "iiiiffffbbIFBBttt" },
};

static const char *const TEXTS[][2] = {
    { "true", "t" }, { "1.5::float8", "1.5" }, { "0.1::float8", "0.1" },
    { "12345678901234567890.12::numeric", "12345678901234567890.12" },
    { "timestamptz '2026-01-31 12:00:00.5+00'", "2026-01-31 12:00:00.5+00" }, { "date '2026-01-31'", "2026-01-31" },
    { "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11" },
    { "'{\"a\": [1, null]}'::jsonb", "{\"a\": [1, null]}" }, { "'{\"a\" : 1}'::json", "{\"a\" : 1}" },
    { "'\\x00ff41'::bytea", "\\x00ff41" }, { "array[1, null, 3]", "{1,NULL,3}" }, { "array['a b', 'c']", "{\"a b\",c}" },
    { "interval '1 day'", "1 day" }, { "inet '10.0.0.1'", "10.0.0.1" }, { "'ä'::varchar(9)", "ä" }, { "'c'::name", "c" },
    { "'x'::char(3)", "x  " }, { "7::int2", "7" }, { "null::jsonb", "" }, { "'x'", "x" }, { "row(1, 'a')", "(1,a)" },
    { "money '12.50'", "$12.50" }, { "point '(1,2)'", "(1,2)" },
};
enum { TEXT_COUNT = sizeof TEXTS / sizeof *TEXTS };

static statement texts[TEXT_COUNT];
static char      sql[TEXT_COUNT][128];

static void make_texts(void)
{
    for (int i = 0; i < TEXT_COUNT; i++) {
        snprintf(sql[i], sizeof sql[i], "select %s where $1 = 1", TEXTS[i][0]);
        texts[i] = (statement){ "one_text", sql[i], true, i % 2 ? "t" : NULL };
    }
}

static void expect_kinds(const rows *r)
{
    ck_assert(rows_int(r, 0, 0) == INT64_MIN);
    ck_assert_int_eq(rows_int(r, 0, 1), 7);
    ck_assert_int_eq(rows_int(r, 0, 2), -70000);
    ck_assert_int_eq(rows_int(r, 0, 3), 12);
    ck_assert(rows_double(r, 0, 4) == 0.1 && rows_double(r, 0, 5) == 1.5 && isnan(rows_double(r, 0, 6)));
    ck_assert(rows_double(r, 0, 7) == 3);
    ck_assert(rows_bool(r, 0, 8) && !rows_bool(r, 0, 9) && rows_bool(r, 0, 13));
    for (int i = 0; i < 16; i++)
        ck_assert(rows_null(r, 0, i) == ((i >= 10 && i <= 12) || i == 15));
    ck_assert(rows_text(r, 0, 14).length == 0 && rows_text(r, 0, 15).length == 0 && *rows_text(r, 0, 15).at == '\0');
    ck_assert(rows_int(r, 0, 10) == 0 && rows_double(r, 0, 11) == 0 && !rows_bool(r, 0, 12));
}

START_TEST(columns_of_any_type_are_read_as_the_statement_says)
{
    rows r;
    open_with(cluster_url(server));
    for (int i = 0; i < 2; i++) {            /* the second time it is prepared */
        ck_assert_int_eq(outcome_here(ask(&r, &KINDS[_i], INT64_MIN)), 0);
        expect_kinds(&r);
        ck_assert_int_eq(r.count, _i == 1 ? 2 : 1);
        ck_assert_int_eq(r.columns, _i == 2 ? 17 : 16);
    }
    finish();
}
END_TEST

START_TEST(columns_of_any_type_are_read_by_a_blocking_thread)
{
    rows r;
    open_blocking(cluster_url(server));
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(now(&KINDS[_i], &r, INT64_MIN), 0);
        expect_kinds(&r);
    }
    finish_blocking();
}
END_TEST

START_TEST(each_row_has_its_own_values)
{
    static const statement COUNT = { "count_up", "select $1::int8 + i from generate_series(0, 2) i order by i", true, "i" };
    rows r;
    (_i ? open_blocking : open_with)(cluster_url(server));
    ck_assert_int_eq(_i ? now(&COUNT, &r, 7) : outcome_here(ask(&r, &COUNT, 7)), 0);
    ck_assert_int_eq(r.count, 3);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(rows_int(&r, i, 0), 7 + i);
    (_i ? finish_blocking : finish)();
}
END_TEST

START_TEST(a_column_of_any_type_is_a_text)
{
    rows r;
    make_texts();
    options.prepare = _i;
    open_with(cluster_url(server));
    for (int i = 0; i < TEXT_COUNT; i++) {
        ck_assert_int_eq(outcome_here(ask(&r, &texts[i], 1)), 0);
        ck_assert_msg(text_equal(rows_text(&r, 0, 0), text_of(TEXTS[i][1])), "%s: %s", TEXTS[i][0], rows_text(&r, 0, 0).at);
    }
    finish();
}
END_TEST

START_TEST(a_column_of_any_type_is_a_text_in_a_blocking_thread)
{
    rows r;
    make_texts();
    options.prepare = _i;
    open_blocking(cluster_url(server));
    for (int i = 0; i < TEXT_COUNT; i++) {
        ck_assert_int_eq(now(&texts[i], &r, 1), 0);
        ck_assert(text_equal(rows_text(&r, 0, 0), text_of(TEXTS[i][1])));
    }
    finish_blocking();
}
END_TEST

static const statement MISFITS[] = {
    { "misfit", "select '2026-01-01'::text where $1 = 1", true, "i" }, { "misfit", "select null::int8 where $1 = 1", true, "i" },
    { "misfit", "select 1.5::numeric where $1 = 1", true, "i" }, { "misfit", "select now() where $1 = 1", true, "i" },
    { "misfit", "select 'x'::text where $1 = 1", true, "I" }, { "misfit", "select null::float8 where $1 = 1", true, "f" },
    { "misfit", "select date '2026-01-01' where $1 = 1", true, "F" }, { "misfit", "select 2 where $1 = 1", true, "b" },
    { "misfit", "select null::bool where $1 = 1", true, "b" }, { "misfit", "select 'yes'::text where $1 = 1", true, "B" },
    { "misfit", "select 1 where $1 = 1", true, "ii" }, { "misfit", "select 1, 2 where $1 = 1", true, "i" },
    { "misfit", "select i::text || case i when 3 then 'x' else '' end from generate_series(1, 4) i where $1 = 1", true, "i" },
};
enum { MISFIT_COUNT = sizeof MISFITS / sizeof *MISFITS };

START_TEST(what_does_not_fit_is_an_error_and_never_the_end)
{
    rows r;
    open_with(cluster_url(server));
    for (int i = 0; i < MISFIT_COUNT; i++)
        ck_assert_msg(outcome_here(ask(&r, &MISFITS[i], 1)) == DB_EVALUE, "%s", MISFITS[i].sql);
    ck_assert_int_eq(outcome_here(ask(&r, &THING, 1)), 0);
    finish();
}
END_TEST

START_TEST(what_does_not_fit_is_an_error_in_a_blocking_thread)
{
    rows r;
    open_blocking(cluster_url(server));
    for (int i = 0; i < MISFIT_COUNT; i++)
        ck_assert_msg(now(&MISFITS[i], &r, 1) == DB_EVALUE, "%s", MISFITS[i].sql);
    ck_assert_int_eq(now(&THING, &r, 1), 0);
    finish_blocking();
}
END_TEST

/* The plan that was prepared gave an integer. */
START_TEST(a_column_that_is_altered_is_read_as_long_as_its_values_fit)
{
    static const statement ID = { "id_of", "select id from things where name = 'thing 7' and $1 = 7", true, "i" };
    static const char *const TYPES[] = { "numeric(9,2)", "text", "float8" };
    rows r;
    open_with(cluster_url(server));
    ck_assert_int_eq(outcome_here(ask(&r, &ID, 7)), 0);
    for (int i = 0; i < 3; i++) {
        char alter[256];
        snprintf(alter, sizeof alter, "set client_min_messages = error; alter table things drop constraint if exists things_pkey;"
                 "alter table things alter column id type %s using id::%s", TYPES[i], TYPES[i]);
        cluster_ask(server, alter);
        ck_assert_int_eq(outcome_here(ask(&r, &ID, 7)), 0);
        ck_assert_int_eq(rows_int(&r, 0, 0), 7);
    }
    cluster_ask(server, "update things set id = 7.5 where name = 'thing 7'");
    ck_assert_int_eq(outcome_here(ask(&r, &ID, 7)), DB_EVALUE);
    finish();
}
END_TEST

Suite *postgres_rows_suite(void)
{
    Suite *s = suite_create("postgres_rows");
    TCase *t = tcase_create("all");
    tcase_add_unchecked_fixture(t, make_server, free_server);
    tcase_add_checked_fixture(t, begin, NULL);
    tcase_add_loop_test(t, columns_of_any_type_are_read_as_the_statement_says, 0, 3);
    tcase_add_loop_test(t, columns_of_any_type_are_read_by_a_blocking_thread, 0, 3);
    tcase_add_loop_test(t, each_row_has_its_own_values, 0, 2);
    tcase_add_loop_test(t, a_column_of_any_type_is_a_text, 0, 2);
    tcase_add_loop_test(t, a_column_of_any_type_is_a_text_in_a_blocking_thread, 0, 2);
    tcase_add_test(t, what_does_not_fit_is_an_error_and_never_the_end);
    tcase_add_test(t, what_does_not_fit_is_an_error_in_a_blocking_thread);
    tcase_add_test(t, a_column_that_is_altered_is_read_as_long_as_its_values_fit);
    suite_add_tcase(s, t);
    return s;
}
