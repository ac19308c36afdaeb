/* test_postgres_faults.c - the PostgreSQL driver while things break: nothing hangs, no write is lost or
 * done twice, and all is well again soon after. */
#include "on_postgres.h"
#include "relay.h"
#include "server/async/combine.h"
#include "server/async/loop.h"
#include "server/async/timing.h"
#include "server/refusal.h"
#include "suites.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static const statement BACKEND = { "backend", "select pg_backend_pid() where $1 > 0", true },
                       SLOW_ADD = { "slow_add", "insert into things select $1, 'added' from pg_sleep(0.3)", false };

static void pause_for(uint64_t ms) { ck_assert_int_eq(outcome_here(sleep_for(ms)), 0); }

static int backend(void)
{
    rows r;
    ck_assert_int_eq(outcome_here(ask(&r, &BACKEND, 1)), 0);
    return (int)rows_int(&r, 0, 0);
}

static void terminate_all(void)
{
    cluster_ask(server, "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'tenk'");
}

/* Retry until the database answers; the seconds it took. */
static double recovery(void)
{
    rows r;
    const uint64_t began = uv_hrtime();
    while (outcome_here(ask(&r, &THING, 1)))
        pause_for(1);
    return (double)(uv_hrtime() - began) / 1e9;
}

START_TEST(reads_do_not_notice_that_their_backends_are_killed)
{
    rows r[4];
    open_with(cluster_url(server));
    wait_for_all();
    const int before = backend();
    promise *all = gather(ask(&r[0], &SLEEP, 60), ask(&r[1], &SLEEP, 60), ask(&r[2], &SLEEP, 60), ask(&r[3], &THING, 4));
    pause_for(10);
    terminate_all();
    ck_assert_int_eq(outcome_here(all), 0);
    ck_assert_int_eq(rows_int(&r[3], 0, 0), 4);
    ck_assert_int_ne(backend(), before);
    terminate_all();                         /* and while they are idle */
    ck_assert_int_eq(outcome_here(ask(&r[0], &THING, 5)), 0);
    finish();
}
END_TEST

START_TEST(a_write_whose_backend_is_killed_is_not_sent_again)
{
    rows a, b;
    int written;
    open_with(cluster_url(server));
    wait_for_all();
    start(ask(&a, &SLOW_ADD, 2000), &written);
    pause_for(20);
    terminate_all();
    ck_assert_int_eq(outcome_here(ask(&b, &THING, 1)), 0);
    wait_until_settled(&written, 1);
    ck_assert_int_eq(written, UV_ECONNRESET);
    ck_assert_str_eq(cluster_ask(server, "select count(*) from things where id = 2000"), "0");
    ck_assert_int_eq(outcome_here(ask(&a, &SLOW_ADD, 2000)), 0);
    finish();
}
END_TEST

/* A server says that it hangs up before it does. */
START_TEST(a_connection_whose_end_has_been_announced_takes_no_write)
{
    rows r;
    options.connections = 1;
    options.timeout_ms = 2000;
    open_with(relayed_url());
    ck_assert_int_eq(outcome_here(ask(&r, &ADD, 2000)), 0);
    terminate_all();
    while (relay_hung_up() == 0)
        poll(NULL, 0, 1);                    /* without the loop, which would hang up first */
    pause_for(5);                            /* and the loop has read what was said before */
    ck_assert_int_eq(outcome_here(ask(&r, &ADD, 2001)), 0);
    finish();
    relay_end();
}
END_TEST

START_TEST(a_server_that_stops_and_comes_back_is_found_again)
{
    rows r[3];
    int read, written;
    open_with(cluster_url(server));
    wait_for_all();
    start(ask(&r[0], &SLEEP, 60000), &read);
    start(ask(&r[1], &SLOW_ADD, 2000), &written);
    pause_for(20);
    if (_i == 0)
        cluster_stop(server);
    else
        cluster_crash(server);
    seconds();
    wait_until_settled(&read, 1);
    wait_until_settled(&written, 1);
    ck_assert_int_eq(read, UV_ECONNRESET);
    ck_assert_int_eq(written, UV_ECONNRESET);
    ck_assert_double_lt(seconds(), 1);
    ck_assert_int_eq(outcome_here(ask(&r[2], &THING, 1)), UV_ECONNREFUSED);
    ck_assert_double_lt(seconds(), 0.05);    /* at once, while the driver tries to connect */
    pause_for(300);
    ck_assert_int_eq(outcome_here(ask(&r[2], &THING, 1)), UV_ECONNREFUSED);
    cluster_start(server);
    ck_assert_double_lt(recovery(), 0.6);
    wait_for_all();
    ck_assert_str_eq(cluster_ask(server, "select count(*) from things where id = 2000"), "0");
    finish();
}
END_TEST

static struct { int acknowledged, refused, uncertain, under_way; bool stop; } load;
static rows nowhere;

static void add_more(int err, void *arg)
{
    static int id = 10000;
    (void)arg;
    if (err == 0)
        load.acknowledged++;
    else if (err == UV_ECONNREFUSED)
        load.refused++;
    else if (err == UV_ECONNRESET)
        load.uncertain++;
    else if (err < 0)
        ck_abort_msg("%s", uv_strerror(err));
    load.under_way--;
    if (load.stop)
        return;
    load.under_way++;
    when_settled(ask(&nowhere, &ADD, id++), add_more, NULL);
}

static void kick(int err, void *arg)         /* a writer that was refused waits a little */
{
    (void)err;
    add_more(1, arg);
}

START_TEST(every_acknowledged_write_is_there_after_the_server_crashed_under_load)
{
    open_with(cluster_url(server));
    wait_for_all();
    for (int i = 0; i < 8; i++) {
        load.under_way++;
        when_settled(sleep_for(1), kick, NULL);
    }
    for (int round = 0; round < 2; round++) {
        pause_for(60);
        load.stop = true;                    /* what is under way still is */
        cluster_crash(server);
        while (load.under_way)
            pause_for(1);
        cluster_start(server);
        recovery();
        load.stop = false;
        for (int i = 0; i < 8; i++) {
            load.under_way++;
            add_more(1, NULL);
        }
    }
    load.stop = true;
    while (load.under_way)
        pause_for(1);
    const int there = atoi(cluster_ask(server, "select count(*) from things where name = 'added'"));
    ck_assert_int_gt(load.acknowledged, 10);
    ck_assert_int_ge(there, load.acknowledged);
    ck_assert_int_le(there, load.acknowledged + load.uncertain);
    finish();
}
END_TEST

START_TEST(a_backend_that_answers_nothing_any_more_is_given_up)
{
    rows r[2];
    int written;
    options.connections = 1;
    options.timeout_ms = 100;
    open_with(cluster_url(server));
    const int pid = backend();
    kill(pid, SIGSTOP);
    seconds();
    start(ask(&r[1], &ADD, 2000), &written);
    ck_assert_int_eq(outcome_here(ask(&r[0], &THING, 1)), UV_ETIMEDOUT);
    wait_until_settled(&written, 1);
    ck_assert_int_eq(written, UV_ETIMEDOUT);
    ck_assert_double_lt(seconds(), 2);
    ck_assert_int_eq(outcome_here(ask(&r[0], &THING, 1)), 0);  /* on another connection */
    ck_assert_int_ne(backend(), pid);
    kill(pid, SIGCONT);
    finish();
}
END_TEST

START_TEST(a_server_that_is_frozen_delays_nobody_for_long)
{
    rows r;
    options.timeout_ms = 50;
    options.line_timeout_ms = 200;
    options.connect_timeout_ms = 100;
    open_with(cluster_url(server));
    wait_for_all();
    const pid_t postmaster = cluster_pid(server);
    const int pid = backend();
    kill(postmaster, SIGSTOP);               /* takes no cancel requests and no connections */
    kill(pid, SIGSTOP);
    seconds();
    ck_assert_int_eq(outcome_here(ask(&r, &SLEEP, 60000)), UV_ETIMEDOUT);
    ck_assert_double_lt(seconds(), 2);
    finish();
    ck_assert_double_lt(seconds(), 2);
    kill(pid, SIGCONT);
    kill(postmaster, SIGCONT);
}
END_TEST

START_TEST(a_port_where_nobody_answers_is_given_up_in_time)
{
    char url[128];
    int deaf;
    rows r;
    listen_somewhere(16, &deaf);
    snprintf(url, sizeof url, "postgresql://tenk@127.0.0.1:%d/tenk", deaf);
    options.line_timeout_ms = 50;
    options.connect_timeout_ms = 400;
    open_with(url);
    seconds();
    ck_assert_int_eq(outcome_here(ask(&r, &THING, 1)), REFUSED(REFUSED_DATABASE_TIMEOUT));
    ck_assert_double_lt(seconds(), 0.3);
    pause_for(400);
    ck_assert_int_eq(outcome_here(ask(&r, &THING, 1)), UV_ECONNREFUSED);
    finish();
}
END_TEST

START_TEST(of_several_hosts_one_that_lives_is_found)
{
    char url[256];
    int deaf;
    rows r;
    listen_somewhere(16, &deaf);
    options.connect_timeout_ms = 100;
    snprintf(url, sizeof url, "postgresql://tenk@127.0.0.1:1,127.0.0.1:%d,localhost:%d/tenk?target_session_attrs=%s",
             _i == 0 ? 2 : deaf, cluster_port(server), "read-write");
    open_with(url);
    while (outcome_here(ask(&r, &THING, 1)))
        pause_for(5);
    ck_assert_int_eq(r.count, 1);
    finish();
}
END_TEST

START_TEST(who_may_not_connect_is_refused_quickly)
{
    char url[256];
    rows r;
    const char *urls[] = { "postgresql://locked:wrong@127.0.0.1:%d/tenk", "postgresql://tenk@127.0.0.1:%d/missing",
                           "postgresql://nobody@127.0.0.1:%d/tenk", "postgresql://tenk@no-such-host.invalid:%d/tenk" };
    snprintf(url, sizeof url, urls[_i], cluster_port(server));
    open_with(url);
    ck_assert_int_eq(outcome_here(ask(&r, &THING, 1)), UV_ECONNREFUSED);
    finish();
}
END_TEST

START_TEST(the_right_password_opens_and_is_not_shown)
{
    char url[256], why[256];
    rows r;
    static const statement ONE = { "one", "select 1 where $1 = 1", true };
    snprintf(url, sizeof url, "postgresql://locked:sesame@127.0.0.1:%d/tenk", cluster_port(server));
    open_with(url);
    ck_assert_int_eq(outcome_here(ask(&r, &ONE, 1)), 0);
    ck_assert_ptr_null(strstr(database_describe(base), "sesame"));
    ck_assert_ptr_nonnull(strstr(database_describe(base), "locked@127.0.0.1:"));
    finish();
    options.url = "postgresql://locked:sesame@[::1/tenk";
    ck_assert_int_eq(database_open(&base, &options, why, sizeof why), UV_EINVAL);
    ck_assert_uint_gt(strlen(why), 10);
    ck_assert_ptr_null(strstr(why, "sesame"));
    options.url = "host=here nonsense=1";
    ck_assert_int_eq(database_open(&base, &options, why, sizeof why), UV_EINVAL);
    ck_assert_ptr_nonnull(strstr(why, "nonsense"));
}
END_TEST

static int init(const char *url, char *why, size_t size)
{
    options.url = url;
    ck_assert_int_eq(database_open(&base, &options, why, size), 0);
    int err = database_init(base, why, size);
    database_close(base);
    return err;
}

START_TEST(init_creates_once_and_leaves_alone_what_is_not_ours)
{
    char why[512], url[128];
    snprintf(url, sizeof url, "postgresql://guest@127.0.0.1:%d/tenk", cluster_port(server));
    ck_assert_int_eq(init(url, why, sizeof why), UV_EACCES);
    cluster_ask(server, "create table posts (mine int); insert into posts values (7)");
    ck_assert_int_eq(init(cluster_url(server), why, sizeof why), UV_EEXIST);
    ck_assert_str_eq(cluster_ask(server, "select mine from posts"), "7");
    cluster_ask(server, "drop table posts");

    ck_assert_int_eq(init(cluster_url(server), why, sizeof why), 0);
    ck_assert_str_eq(cluster_ask(server, "select count(*) from users"), "10000");
    cluster_ask(server, "update users set name = 'kept' where id = 1");
    ck_assert_int_eq(init(cluster_url(server), why, sizeof why), 0);
    ck_assert_str_eq(cluster_ask(server, "select name from users where id = 1"), "kept");
    cluster_ask(server, "drop table posts, users, tenk_schema");
    cluster_stop(server);
    ck_assert_int_eq(init(cluster_url(server), why, sizeof why), UV_ECONNREFUSED);
    ck_assert_ptr_nonnull(strstr(why, "refused"));
}
END_TEST

Suite *postgres_faults_suite(void)
{
    Suite *s = suite_create("postgres_faults");
    TCase *t = tcase_create("faults");
    tcase_set_tags(t, "faults");             /* the image is built without them */
    tcase_add_unchecked_fixture(t, make_server, free_server);
    tcase_add_checked_fixture(t, begin, NULL);
    tcase_set_timeout(t, 20);
    tcase_add_test(t, reads_do_not_notice_that_their_backends_are_killed);
    tcase_add_test(t, a_write_whose_backend_is_killed_is_not_sent_again);
    tcase_add_test(t, a_connection_whose_end_has_been_announced_takes_no_write);
    tcase_add_loop_test(t, a_server_that_stops_and_comes_back_is_found_again, 0, 2);
    tcase_add_test(t, every_acknowledged_write_is_there_after_the_server_crashed_under_load);
    tcase_add_test(t, a_backend_that_answers_nothing_any_more_is_given_up);
    tcase_add_test(t, a_server_that_is_frozen_delays_nobody_for_long);
    tcase_add_test(t, a_port_where_nobody_answers_is_given_up_in_time);
    tcase_add_loop_test(t, of_several_hosts_one_that_lives_is_found, 0, 2);
    tcase_add_loop_test(t, who_may_not_connect_is_refused_quickly, 0, 4);
    tcase_add_test(t, the_right_password_opens_and_is_not_shown);
    tcase_add_test(t, init_creates_once_and_leaves_alone_what_is_not_ours);
    suite_add_tcase(s, t);
    return s;
}
