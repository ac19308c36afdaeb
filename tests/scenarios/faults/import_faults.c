/* import_faults.c - what an import reports when one of the three ends it early: the client, the server, the database. */
#include "tests/scenarios/scenarios.h"

#include "tests/scenarios/support/import.h"
#include "tests/scenarios/support/postgres.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

static void on_sqlite(void) { server_start("import-clients", NULL); }

START_TEST(a_client_that_stops_half_way_is_told_what_is_stored)
{
    client *c = import_begin();
    char *body = many_lines(600, 212, "kept", 10);           /* three batches */
    say_chunk(c, body);
    say_chunk(c, LINE(212, "not whole"));
    client_half_close(c);
    const report r = report_in(client_answer(c), 400);
    expect_counts(&r, 600, 0, 600, 0);
    const answer a = get_as("/users/212", "application/json");
    expect_body(a, "\"kept ");
    ck_assert_ptr_null(strstr(a.body, "not whole"));
    client_free(c);
    free(body);
}
END_TEST

START_TEST(the_log_tells_what_became_of_the_lines_of_a_client_that_is_gone)
{
    client *c = import_begin();
    say_chunk(c, LINE(213, "of one who left") "\n");
    ck_assert(eventually(5, strstr(get_as("/users/213", "application/json").body, "of one who left")));
    client_reset(c);
    ck_assert(eventually(5, server_log_has("import: 1 lines, 1 stored, 0 refused")));
}
END_TEST

START_TEST(bad_framing_ends_it_with_a_report)
{
    client *c = import_begin();
    say_chunk(c, LINE(214, "before it") "\n");
    client_say(c, "nonsense\r\n");
    const report r = report_in(client_answer(c), 400);
    expect_counts(&r, 1, 0, 1, 0);
    ck_assert(client_closed(c));
    client_free(c);
}
END_TEST

START_TEST(one_that_is_too_slow_is_told_what_is_stored)
{
    server_start("import-ends", "TENK_TIMEOUTS_BODY=200ms", NULL);
    client *c = import_begin();
    say_chunk(c, LINE(1, "in time") "\n");
    const report r = report_in(client_answer(c), 408);
    expect_counts(&r, 1, 0, 1, 0);
    client_free(c);
    server_stop();
}
END_TEST

START_TEST(stopping_waits_for_an_import_but_not_for_ever)
{
    server_start("import-ends", "TENK_TIMEOUTS_DRAIN=4s", NULL);     /* of which bodies have half */
    client *quick = import_begin(), *endless = import_begin();
    say_chunk(quick, LINE(1, "before the signal") "\n");
    say_chunk(endless, LINE(1, "of the endless one") "\n");
    ck_assert(eventually(5, strstr(get_as("/users/1", "application/json").body, "of the endless one")));
    ck_assert(eventually(5, strstr(get_as("/users/1", "application/json").body, "before the signal")));
    server_signal(SIGTERM);
    ck_assert(eventually(5, server_log_has("stopping")));
    say_chunk(quick, LINE(1, "after the signal") "\n");
    client_say(quick, "0\r\n\r\n");
    report r = report_in(client_answer(quick), 200);
    expect_counts(&r, 2, 0, 2, 0);
    const answer a = client_answer(endless);
    r = report_in(a, 503);
    expect_counts(&r, 1, 0, 1, 0);
    expect_body(a, "the server stops");
    client_free(quick);
    client_free(endless);
    ck_assert_int_eq(server_wait(), 0);
}
END_TEST

static int lines_in(const json_t *stretches)
{
    int count = 0;
    size_t i;
    json_t *each;
    json_array_foreach(stretches, i, each)
        count += (int)(number_of(each, "to") - number_of(each, "from")) + 1;
    return count;
}

START_TEST(a_database_that_fails_half_way_ends_it_with_an_exact_report)
{
    server_start_on_postgres("import-database", NULL);
    char *body = many_lines(500, 400, "fault", 500);
    cluster_ask(postgres(), "delete from posts where user_id = 400");
    client *c = import_begin();
    say_chunk(c, body);
    ck_assert(eventually(10, sql_int("select count(*) from posts where user_id = 400") == 500));
    for (int i = 0; i < 20; i++)
        say_chunk(c, body);
    cluster_crash(postgres());
    for (int i = 0; i < 1000 && client_quiet(c); i++)
        say_chunk(c, body);
    const answer a = client_answer(c);
    const report r = report_in(a, strstr(a.body, "\"uncertain\":[]") ? 503 : 502);
    ck_assert((a.status == 503) == (header(&a, "Retry-After") != NULL));
    const int missing = lines_in(json_object_get(r.whole, "missing")),
              uncertain = lines_in(json_object_get(r.whole, "uncertain"));
    ck_assert_int_ge(r.stored, 500);
    ck_assert_msg(r.stored + missing + uncertain == r.lines, "%s", a.body);
    cluster_start(postgres());
    const int there = sql_int("select count(*) from posts where user_id = 400");
    ck_assert_msg(there >= r.stored && there <= r.stored + uncertain, "%d are there: %s", there, a.body);
    client_free(c);
    free(body);
    server_stop();
}
END_TEST

START_TEST(a_line_that_only_the_database_refuses_is_refused_alone)
{
    cluster_ask(postgres(), "alter table posts add constraint even check (title <> 'odd')");
    server_start_on_postgres("import-database", NULL);
    const report r = import(LINE(401, "1") "\n" LINE(401, "2") "\n" LINE(401, "odd") "\n" LINE(401, "4") "\n" LINE(401, "odd"),
                            5, 0, 3, 2);
    expect_refusal(&r, 3, "database");
    expect_refusal(&r, 5, "database");
    cluster_ask(postgres(), "alter table posts drop constraint even");
    server_stop();
}
END_TEST

/* It is not the line's fault: more often than the driver tries it again by itself. */
START_TEST(a_line_whose_transaction_met_others_is_stored_and_not_refused)
{
    static const char *const states[] = { "40001", "40P01", "55P03", "53200", "57014" };
    char sql[640];
    server_start_on_postgres("import-database", NULL);
    for (int i = 0; i < 5; i++) {
        snprintf(sql, sizeof sql,
                 "set client_min_messages = error; drop sequence if exists tries; create sequence tries;"
                 "grant all on sequence tries to tenk;"
                 "create or replace function not_now() returns trigger language plpgsql as $$ begin "
                 "if nextval('tries') <= 8 then raise exception 'not now' using errcode = '%s'; end if; return new; end $$;"
                 "create or replace trigger not_now before insert on posts for each row execute function not_now()",
                 states[i]);
        cluster_ask(postgres(), sql);
        import(LINE(402, "1") "\n" LINE(402, "2") "\n" LINE(402, "3"), 3, 0, 3, 0);
        ck_assert_int_gt(sql_int("select last_value from tries"), 8);
    }
    cluster_ask(postgres(), "drop trigger not_now on posts; drop function not_now");
    server_stop();
}
END_TEST

Suite *import_faults_suite(void)
{
    Suite *s = suite_create("import_faults");
    TCase *t = theme(s, "import-clients", on_sqlite);
    tcase_add_test(t, a_client_that_stops_half_way_is_told_what_is_stored);
    tcase_add_test(t, the_log_tells_what_became_of_the_lines_of_a_client_that_is_gone);
    tcase_add_test(t, bad_framing_ends_it_with_a_report);
    t = theme(s, "import-ends", NULL);
    tcase_add_test(t, one_that_is_too_slow_is_told_what_is_stored);
    tcase_add_test(t, stopping_waits_for_an_import_but_not_for_ever);
    t = postgres_theme(s, "import-database");
    tcase_add_test(t, a_database_that_fails_half_way_ends_it_with_an_exact_report);
    tcase_add_test(t, a_line_that_only_the_database_refuses_is_refused_alone);
    tcase_add_test(t, a_line_whose_transaction_met_others_is_stored_and_not_refused);
    return s;
}
