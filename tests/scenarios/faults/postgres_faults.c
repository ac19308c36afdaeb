/* postgres_faults.c - PostgreSQL stopped, killed, slow, locked, silent: errors in time, recovery in
 * time, nothing lost. */
#include "tests/scenarios/scenarios.h"

#include "tests/scenarios/support/load.h"
#include "tests/scenarios/support/postgres.h"

#include <arpa/inet.h>
#include <libpq-fe.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static bool all_acknowledged_are_there(load *l, int *acknowledged, int *there)
{
    char *titles = load_acknowledged(l, acknowledged), *sql = malloc(strlen(titles) + 128);
    sprintf(sql, "select count(distinct title) from posts where title in (%s)",
            *titles ? titles : "''");
    *there = sql_int(sql);
    free(sql);
    free(titles);
    return *there == *acknowledged;
}

/* What no fault may do: hang a visitor, touch a route without database, lose what was acknowledged. */
static void stop_without_harm(load *l)
{
    int acknowledged, there;
    load_stop(l);
    ck_assert_msg(load_watchers(l)->good > 0 &&
                      load_watchers(l)->unavailable + load_watchers(l)->late +
                              load_watchers(l)->other + load_watchers(l)->broken ==
                          0,
                  "routes without a database failed");
    /* who asks has to wake, the server, and who asks again */
    ck_assert_msg(load_watchers(l)->slowest < (run_slowed() ? 2000 : 250) + 3 * load_held_up(l),
                  "and took %d ms, where threads wait for %d ms to run", load_watchers(l)->slowest, load_held_up(l));
    ck_assert_int_eq(load_readers(l)->broken, 0);
    ck_assert_int_eq(load_writers(l)->broken, 0);
    ck_assert_msg(load_readers(l)->other == 0, "a reader was told: %s", load_readers(l)->first_other);
    ck_assert_msg(load_writers(l)->other == 0, "a writer was told: %s", load_writers(l)->first_other);
    ck_assert_int_eq(load_readers(l)->without_retry_after, 0);
    const int patience = 6000 + 3 * load_held_up(l);
    ck_assert_msg(load_readers(l)->slowest < patience && load_writers(l)->slowest < patience,
                  "a reader waited for %d ms, a writer for %d", load_readers(l)->slowest, load_writers(l)->slowest);
    ck_assert_msg(all_acknowledged_are_there(l, &acknowledged, &there),
                  "%d posts were acknowledged, %d are there", acknowledged, there);
    ck_assert_int_gt(acknowledged, 0);
    load_free(l);
    server_stop();
}

static void stopped_and_started(void (*stop)(cluster *))
{
    server_start_on_postgres("postgres-faults", NULL);
    load *l = load_start(4, 4, 2);
    ck_assert(eventually(10, load_writers(l)->good > 50 && load_readers(l)->good > 50));
    stop(postgres());
    const int before = load_readers(l)->unavailable, posts_before = load_writers(l)->unavailable;
    ck_assert_msg(eventually(5, load_readers(l)->unavailable > before + 5 &&
                                    load_writers(l)->unavailable > posts_before + 5),
                  "no 503 while the database is down");
    const answer a = get("/users/42");
    expect_unavailable(a);
    expect(get_as("/users/42", "text/html"), 503, "text/html");
    cluster_start(postgres());
    const double took = until_200("/users/42");
    ck_assert_msg(took < 2, "recovered after %.1f s", took);
    const int good = load_writers(l)->good;
    ck_assert(eventually(5, load_writers(l)->good > good + 50));
    stop_without_harm(l);
}

START_TEST(postgresql_stopped_and_started_under_load) { stopped_and_started(cluster_stop); }
END_TEST

START_TEST(postgresql_crashed_and_started_under_load) { stopped_and_started(cluster_crash); }
END_TEST

START_TEST(backends_terminated_under_load)
{
    server_start_on_postgres("postgres-faults", NULL);
    load *l = load_start(4, 4, 2);
    for (int i = 0; i < 5; i++) {
        const int good = load_writers(l)->good, read = load_readers(l)->good;
        ck_assert_msg(
            eventually(2, load_writers(l)->good > good + 20 && load_readers(l)->good > read + 20),
            "no recovery within 2 s");
        cluster_ask(
            postgres(),
            "select count(pg_terminate_backend(pid)) from pg_stat_activity where usename = 'tenk'");
    }
    ck_assert(until_200("/users/42") < 2);
    stop_without_harm(l);
}
END_TEST

START_TEST(a_backend_killed_under_load)
{
    server_start_on_postgres("postgres-faults", NULL);
    load *l = load_start(4, 4, 2);
    ck_assert(eventually(10, load_writers(l)->good > 50));
    const int pid = sql_int("select pid from pg_stat_activity where usename = 'tenk' limit 1");
    ck_assert_int_gt(pid, 1);
    ck_assert_int_eq(kill(pid, SIGKILL), 0); /* PostgreSQL then restarts all of its backends */
    ck_assert(eventually(10, kill(pid, 0) != 0));            /* once it has seen that */
    ck_assert(eventually(10, get("/users/42").status == 200));
    const int good = load_writers(l)->good;
    ck_assert(eventually(10, load_writers(l)->good > good + 50));
    stop_without_harm(l);
}
END_TEST

/* Whoever is told to try again would post it twice. */
START_TEST(a_post_whose_outcome_nobody_knows_is_told_so)
{
    cluster_ask(postgres(), "create or replace function wait() returns trigger language plpgsql as"
                            " 'begin perform pg_sleep(60); return new; end';"
                            "create or replace trigger wait before insert on posts for each row execute function wait()");
    server_start_on_postgres("postgres-faults", NULL);
    until_200("/users/42");
    for (int i = 0; i < 2; i++) {
        client *c = client_new();
        client_say(c, i ? "POST /users/1/posts HTTP/1.1\r\nHost: t\r\nAccept: text/html\r\nContent-Length: 14\r\n"
                          "Content-Type: application/x-www-form-urlencoded\r\n\r\ntitle=t&body=b"
                        : "POST /users/1/posts HTTP/1.1\r\nHost: t\r\nContent-Length: 24\r\n"
                          "Content-Type: application/json\r\n\r\n{\"title\":\"t\",\"body\":\"b\"}");
        ck_assert(eventually(10, sql_int("select count(*) from pg_stat_activity where wait_event = 'PgSleep'") == 1));
        cluster_ask(postgres(), "select pg_terminate_backend(pid) from pg_stat_activity where wait_event = 'PgSleep'");
        const answer a = client_answer(c);
        i ? expect(a, 502, "text/html") : expect_problem(a, 502);
        expect_body(a, "It is not known whether this was stored");
        if (!i)
            expect_body(a, "\"uncertain\":true");
        ck_assert_ptr_null(header(&a, "Retry-After"));
        ck_assert_ptr_null(strstr(a.body, "try again"));
        client_free(c);
    }
    ck_assert(server_says("post_new: it is not known whether it was stored"));
    cluster_ask(postgres(), "drop trigger wait on posts");
    server_stop();
}
END_TEST

START_TEST(a_column_of_another_type_is_no_end)
{
    server_start_on_postgres("postgres-faults", NULL);
    until_200("/users/42");
    cluster_ask(postgres(), "set client_min_messages = warning; drop schema if exists slow cascade;"         /* its views */
                            "alter table posts alter column created_at type numeric(20,2)");
    ck_assert(eventually(5, get("/users/42").status == 200));
    cluster_ask(postgres(), "update posts set created_at = created_at + 0.5 where user_id = 42");
    for (int i = 0; i < 4; i++)
        expect_problem(get(i % 2 ? "/users/42" : "/users/42/sequential"), 500);
    ck_assert(server_says("posts_by_user: what came in row 1, column 4, is not a whole number"));
    expect(get("/users/43"), 200, NULL);
    cluster_ask(postgres(), "update posts set created_at = created_at - 0.5 where user_id = 42");
    cluster_ask(postgres(), "alter table posts alter column created_at type bigint");
    ck_assert(eventually(5, get("/users/42").status == 200));
    server_stop();
}
END_TEST

/* Each change makes every prepared statement stale that reads that column, or waits for its table. */
START_TEST(tables_altered_under_load_are_nobodys_error)
{
    static const char *const TYPES[] = { "varchar", "text" };
    cluster_ask(postgres(), "set client_min_messages = warning; drop schema if exists slow cascade");      /* its views */
    server_start_on_postgres("postgres-faults", NULL);
    load *l = load_start(4, 4, 1);
    for (int i = 0; i < 20; i++) {
        char sql[128];
        const int good = load_writers(l)->good, read = load_readers(l)->good;
        ck_assert(eventually(10, load_writers(l)->good > good + 5 && load_readers(l)->good > read + 5));
        snprintf(sql, sizeof sql, "alter table users alter name type %s", TYPES[i % 2]);
        cluster_ask(postgres(), sql);
        snprintf(sql, sizeof sql, "alter table posts alter title type %s", TYPES[i % 2]);
        cluster_ask(postgres(), sql);
    }
    load_stop(l);
    const tally *of[] = { load_readers(l), load_writers(l), load_watchers(l) };
    for (int i = 0; i < 3; i++)
        ck_assert_msg(of[i]->other + of[i]->broken + of[i]->uncertain == 0, "%d other, %d broken, %d uncertain",
                      of[i]->other, of[i]->broken, of[i]->uncertain);        /* a lock may last longer than one waits */
    int acknowledged, there;
    ck_assert_msg(all_acknowledged_are_there(l, &acknowledged, &there), "%d acknowledged, %d there", acknowledged, there);
    load_free(l);
    server_stop();
}
END_TEST

START_TEST(a_server_may_start_before_its_database)
{
    const char *url = postgres_url();
    char setting[300];
    snprintf(setting, sizeof setting, "DATABASE_URL=%s", url);
    cluster_stop(postgres());
    server_start("postgres-faults", setting, NULL);
    expect(get("/healthz"), 200, NULL);
    const answer a = get("/users/42");
    expect_unavailable(a);
    cluster_start(postgres());
    const double took = until_200("/users/42");
    ck_assert_msg(took < 2, "recovered after %.1f s", took);
    server_stop();
}
END_TEST

START_TEST(a_database_that_accepts_and_says_nothing_is_an_error_in_time)
{
    char url[128];
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof a;
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert(bind(fd, (struct sockaddr *)&a, size) == 0 && listen(fd, 64) == 0 &&
              getsockname(fd, (struct sockaddr *)&a, &size) == 0);
    snprintf(url, sizeof url, "DATABASE_URL=postgresql://tenk@127.0.0.1:%d/tenk", ntohs(a.sin_port));
    server_start("postgres-faults", url, "TENK_DATABASE_CONNECT_TIMEOUT=300ms",
                 "TENK_DATABASE_LINE_TIMEOUT=300ms", NULL);
    for (int i = 0; i < 3; i++) {
        const double before = granted_s();
        const answer b = get("/users/42");
        ck_assert_msg(b.status == 503 || b.status == 504, "%d", b.status);
        ck_assert_double_lt(granted_s() - before, run_slowed() ? 4 : 1.5);
        expect(get("/healthz"), 200, NULL);
    }
    close(fd);
    server_stop();
}
END_TEST

START_TEST(a_database_that_falls_silent_is_an_error_in_time)
{
    server_start_on_postgres("postgres-faults", "TENK_DATABASE_TIMEOUT=300ms",
                             "TENK_DATABASE_CONNECTIONS=2", NULL);
    until_200("/users/42");
    cluster_halt(postgres());                /* all of it: a connection may just be coming */
    const double before = granted_s();
    const int status = get("/users/42").status;
    const double took = granted_s() - before;
    expect(get("/healthz"), 200, NULL);
    cluster_resume(postgres());
    ck_assert_msg(status == 504 || status == 503, "%d", status);
    ck_assert_msg(took < (run_slowed() ? 4 : 1), "after %.1f s", took);        /* the timeout, and 0.2 s */
    ck_assert(until_200("/users/42") < 2);
    server_stop();
}
END_TEST

START_TEST(fewer_connections_than_wanted_still_serve)
{
    cluster_ask(postgres(), "alter role tenk connection limit 1");
    server_start_on_postgres("postgres-faults", NULL);
    const bool served = eventually(5, get("/users/42").status == 200);
    int good = 0;
    for (int i = 0; i < 20; i++)
        good += get("/users/42").status == 200;
    cluster_ask(postgres(), "alter role tenk connection limit -1");
    ck_assert_msg(served && good == 20, "%d of 20", good);
    server_stop();
}
END_TEST

START_TEST(a_database_without_our_tables_is_an_error_and_no_crash)
{
    char url[300];
    cluster_ask(postgres(), "drop database if exists empty");
    cluster_ask(postgres(), "create database empty owner tenk");
    snprintf(url, sizeof url, "DATABASE_URL=postgresql://tenk@127.0.0.1:%d/empty",
             cluster_port(postgres()));
    server_start("postgres-faults", url, NULL);
    const answer a = get("/users/42");
    ck_assert_msg(a.status == 500 || a.status == 503, "%d", a.status);
    expect_problem(a, a.status);
    ck_assert_ptr_null(strstr(a.body, "select"));            /* the log's matter, not a stranger's */
    ck_assert_ptr_null(strstr(a.body, "relation"));
    expect(get("/healthz"), 200, NULL);
    server_stop();
    cluster_ask(postgres(), "drop database empty");
}
END_TEST

START_TEST(init_db_touches_nothing_that_it_did_not_create)
{
    char url[300], out[4096];
    cluster_ask(postgres(), "drop database if exists theirs");
    cluster_ask(postgres(), "create database theirs owner tenk");
    snprintf(url, sizeof url, "postgresql://tenk@127.0.0.1:%d/theirs", cluster_port(postgres()));
    PGconn *other = PQconnectdb(url);
    PQclear(PQexec(other, "create table users (them text)"));
    PQclear(PQexec(other, "insert into users values ('precious')"));
    const int code = tenk_run(out, sizeof out, "--init-db", "-D", url, NULL);
    PGresult *r = PQexec(other, "select them from users");
    ck_assert_int_eq(PQntuples(r), 1);
    ck_assert_str_eq(PQgetvalue(r, 0, 0), "precious");
    PQclear(r);
    PQfinish(other);
    ck_assert_msg(code == 1, "exit %d: %s", code, out);
    ck_assert_ptr_nonnull(strstr(out, "users"));
    cluster_ask(postgres(), "drop database theirs");
}
END_TEST

START_TEST(init_db_on_no_database_says_so)
{
    char out[4096];
    const int code = tenk_run(out, sizeof out, "--init-db", "-D",
                              "postgresql://tenk:s3cr3t@127.0.0.1:1/tenk", NULL);
    ck_assert_msg(code == 1, "exit %d: %s", code, out);
    ck_assert_ptr_null(strstr(out, "s3cr3t"));
    ck_assert_ptr_nonnull(strstr(out, "127.0.0.1"));
}
END_TEST

Suite *postgres_faults_suite(void)
{
    Suite *s = suite_create("postgres-faults");
    TCase *t = postgres_theme(s, "postgres-faults");
    tcase_add_test(t, postgresql_stopped_and_started_under_load);
    tcase_add_test(t, postgresql_crashed_and_started_under_load);
    tcase_add_test(t, backends_terminated_under_load);
    tcase_add_test(t, a_backend_killed_under_load);
    tcase_add_test(t, a_post_whose_outcome_nobody_knows_is_told_so);
    tcase_add_test(t, a_column_of_another_type_is_no_end);
    tcase_add_test(t, tables_altered_under_load_are_nobodys_error);
    tcase_add_test(t, a_server_may_start_before_its_database);
    tcase_add_test(t, a_database_that_accepts_and_says_nothing_is_an_error_in_time);
    tcase_add_test(t, a_database_that_falls_silent_is_an_error_in_time);
    tcase_add_test(t, fewer_connections_than_wanted_still_serve);
    tcase_add_test(t, a_database_without_our_tables_is_an_error_and_no_crash);
    tcase_add_test(t, init_db_touches_nothing_that_it_did_not_create);
    tcase_add_test(t, init_db_on_no_database_says_so);
    return s;
}
