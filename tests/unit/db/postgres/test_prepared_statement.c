/* test_prepared_statement.c - a statement with its types, and what connections call it. */
#include "db/postgres/prepared_statement.h"
#include "tests/unit/suites.h"

#include <stdio.h>
#include <string.h>

static const statement EACH[64];

static const value NOTHING = { .type = VALUE_NULL };

static pg_prepared_table table;
static pg_prepared_names names;

static void teardown(void)
{
    pg_prepared_table_done(&table);
    pg_prepared_names_done(&names);
}

START_TEST(a_statement_is_prepared_for_each_kind_of_parameters)
{
    const value kinds[][2] = { { integer(1), integer(2) }, { integer(1), string(TEXT("x")) }, { integer(1), NOTHING },
                               { NOTHING, integer(1) }, { string(TEXT("x")), string(TEXT("y")) }, { NOTHING, NOTHING } };
    enum { KINDS = sizeof kinds / sizeof *kinds };
    pg_prepared *of[KINDS];
    for (int i = 0; i < KINDS; i++) {
        of[i] = pg_prepared_of(&table, &EACH[0], 2, kinds[i]);
        ck_assert_int_eq(of[i]->index, i);
        ck_assert_ptr_eq(of[i]->statement, &EACH[0]);
        for (int k = 0; k < i; k++)
            ck_assert_ptr_ne(of[i], of[k]);
    }
    for (int i = 0; i < KINDS; i++)          /* whatever the values */
        ck_assert_ptr_eq(pg_prepared_of(&table, &EACH[0], 2, kinds[i]), of[i]);
    ck_assert_ptr_eq(pg_prepared_of(&table, &EACH[0], 2, (value[]){ integer(7), integer(8) }), of[0]);
    const pg_prepared *none = pg_prepared_of(&table, &EACH[0], 0, NULL);
    ck_assert(none != of[5] && none->n == 0);                /* nulls are not nothing */
    ck_assert_ptr_ne(pg_prepared_of(&table, &EACH[1], 2, kinds[0]), of[0]);
}
END_TEST

START_TEST(the_server_is_told_each_type_and_infers_that_of_a_null)
{
    enum { INT8 = 20, WORDS = 25 };
    const value all[MAX_PARAMETERS] = { integer(1), string(TEXT("x")), NOTHING, integer(2), integer(3), string(TEXT("y")),
                                        NOTHING, string(TEXT("z")) };
    static const Oid EXPECTED[MAX_PARAMETERS] = { INT8, WORDS, 0, INT8, INT8, WORDS, 0, WORDS };
    Oid oids[MAX_PARAMETERS];
    pg_prepared_types(pg_prepared_of(&table, &EACH[0], MAX_PARAMETERS, all), oids);
    ck_assert_mem_eq(oids, EXPECTED, sizeof oids);
}
END_TEST

/* Else each look for one would go through all of them. */
START_TEST(statements_beside_each_other_do_not_share_a_bucket)
{
    int used = 0;
    for (int i = 0; i < 64; i++)
        pg_prepared_of(&table, &EACH[i], 0, NULL);
    for (int i = 0; i < 64; i++)
        used += table.buckets[i] != NULL;
    ck_assert_int_ge(used, 16);
    ck_assert_int_eq(table.count, 64);
}
END_TEST

START_TEST(a_name_is_never_used_again)
{
    static const statement ADD = { .name = "add" }, READ = { .name = "read" };
    char seen[8][64];
    const pg_prepared *add = pg_prepared_of(&table, &ADD, 0, NULL), *read = pg_prepared_of(&table, &READ, 0, NULL);
    ck_assert_ptr_null(pg_prepared_name(&names, add));
    pg_prepared_name_forget(&names, add);             /* it has none */
    for (int i = 0; i < 8; i++) {
        const pg_prepared *prepared = i % 3 ? add : read;
        const char *name = pg_prepared_name_new(&names, prepared);
        ck_assert_str_eq(pg_prepared_name(&names, prepared), name);
        ck_assert_ptr_nonnull(strstr(name, prepared->statement->name));
        snprintf(seen[i], sizeof seen[i], "%s", name);
        for (int k = 0; k < i; k++)
            ck_assert_str_ne(seen[i], seen[k]);
        if (i == 4)                          /* another connection */
            pg_prepared_names_forget(&names);
        else
            pg_prepared_name_forget(&names, prepared);
        ck_assert_ptr_null(pg_prepared_name(&names, prepared));
    }
}
END_TEST

START_TEST(a_name_is_that_of_its_prepared_statement_alone)
{
    enum { MANY = 64 };
    static statement some[MANY];
    const pg_prepared *of[MANY];
    for (int i = 0; i < MANY; i++) {
        some[i] = (statement){ .name = "one" };
        of[i] = pg_prepared_of(&table, &some[i], 0, NULL);
    }
    for (int i = MANY - 1; i >= 0; i -= 2)
        pg_prepared_name_new(&names, of[i]);
    for (int i = 0; i < MANY; i++)
        ck_assert(!pg_prepared_name(&names, of[i]) == (i % 2 == 0));
    pg_prepared_names_forget(&names);
    for (int i = 0; i < MANY; i++)
        ck_assert_ptr_null(pg_prepared_name(&names, of[i]));
}
END_TEST

Suite *prepared_statement_suite(void)
{
    Suite *s = suite_create("prepared_statement");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, NULL, teardown);
    tcase_add_test(t, a_statement_is_prepared_for_each_kind_of_parameters);
    tcase_add_test(t, the_server_is_told_each_type_and_infers_that_of_a_null);
    tcase_add_test(t, statements_beside_each_other_do_not_share_a_bucket);
    tcase_add_test(t, a_name_is_never_used_again);
    tcase_add_test(t, a_name_is_that_of_its_prepared_statement_alone);
    suite_add_tcase(s, t);
    return s;
}
