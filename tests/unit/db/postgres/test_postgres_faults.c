/* test_postgres_faults.c - the PostgreSQL driver while things break: nothing hangs, no write is lost or
 * done twice, and all is well again soon after. */
#include "db/postgres/postgres.h"
#include "on_postgres.h"
#include "tests/support/relay.h"
#include "server/async/combine.h"
#include "server/async/loop.h"
#include "server/async/timing.h"
#include "server/base/refusal.h"
#include "tests/unit/suites.h"
#include "tests/support/support.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int backend(void)
{
    rows r;
    ck_assert_int_eq(outcome_here(ask(&r, &BACKEND, 1)), 0);
    return (int)rows_int(&r, 0, 0);
}

static void until_it_answers(void)
{
    rows r;
    while (outcome_here(ask(&r, &THING, 1)))
        pause_for(1);
}

static int backend_of_first(void)
{
    const pg_connection *l = ((pg_pool *)here)->links;
    return l->pg ? PQbackendPID(l->pg) : 0;
}

static void have_it_sent(promise *p, int *err)
{
    start(p, err);
    pause_for(1);
}

START_TEST(reads_do_not_notice_that_their_backends_are_killed)
{
    rows r[4];
    int err;
    open_with(cluster_url(server));
    wait_for_all();
    const int before = backend();
    gate_shut();
    have_it_sent(gather(ask(&r[0], &GATED, 1), ask(&r[1], &GATED, 2), ask(&r[2], &GATED, 3), ask(&r[3], &THING, 4)), &err);
    wait_at_gate(options.connections);
    terminate_all();
    gate_open();
    wait_until_settled(&err, 1);
    ck_assert_int_eq(err, 0);
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(rows_int(&r[i], 0, 0), i + 1);
    ck_assert_int_ne(backend(), before);
    terminate_all();                         /* and while they are idle */
    ck_assert_int_eq(outcome_here(ask(&r[0], &THING, 5)), 0);
    finish();
}
END_TEST

/* One of them has just been made, and we do not know that yet, nor that it has broken. */
START_TEST(a_read_goes_again_only_where_the_connection_was_begun_after_its_own_had_broken)
{
    rows r;
    open_with(cluster_url(server));
    wait_for_all();
    terminate(backend());
    while (strcmp(cluster_ask(server, CONNECTED), "2"))
        uv_run(loop_here(), UV_RUN_NOWAIT);
    terminate_all();
    ck_assert_int_eq(outcome_here(ask(&r, &THING, 5)), 0);
    finish();
}
END_TEST

START_TEST(a_write_whose_backend_is_killed_is_not_sent_again)
{
    rows a, b;
    int written;
    open_with(cluster_url(server));
    wait_for_all();
    gate_shut();
    have_it_sent(ask(&a, &GATED_ADD, 2000), &written);
    wait_at_gate(1);
    terminate_all();
    ck_assert_int_eq(outcome_here(ask(&b, &THING, 1)), 0);
    wait_until_settled(&written, 1);
    ck_assert_int_eq(written, ERR_UNCERTAIN);
    gate_open();
    ck_assert_str_eq(cluster_ask(server, "select count(*) from things where id = 2000"), "0");
    ck_assert_int_eq(outcome_here(ask(&a, &GATED_ADD, 2000)), 0);
    finish();
}
END_TEST

/* A commit waits for a standby that is not there; who gives up waiting does not know what a failover will keep. */
START_TEST(a_write_that_gives_up_waiting_for_its_standby_is_uncertain)
{
    rows r;
    wait_for_a_standby();
    options.timeout_ms = 50;
    open_with(cluster_url(server));
    wait_for_all();
    ck_assert_int_eq(outcome_here(ask(&r, &ADD, 2000)), ERR_UNCERTAIN);
    finish();
    cluster_ask(server, "alter system reset all");
    cluster_stop(server);
    cluster_start(server);
    ck_assert_str_eq(cluster_ask(server, "select count(*) from things where id = 2000"), "1");
}
END_TEST

/* A server says that it hangs up before it does. */
START_TEST(a_connection_whose_end_has_been_announced_takes_no_write)
{
    rows r;
    options.connections = 1;
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
    options.timeout_ms = options.line_timeout_ms = 0;        /* so that nothing but the server's end is one for them */
    open_with(cluster_url(server));
    wait_for_all();
    have_it_sent(ask(&r[0], &SLEEP, 60000), &read);
    have_it_sent(ask(&r[1], &SLEEP_AND_ADD, 2000), &written);
    wait_for(SLEEPING, "2");
    if (_i == 0)
        cluster_stop(server);
    else
        cluster_crash(server);
    wait_until_settled(&read, 1);
    wait_until_settled(&written, 1);
    ck_assert_int_eq(read, UV_ECONNRESET);
    ck_assert_int_eq(written, ERR_UNCERTAIN);
    for (int i = 0; i < 100; i++) {          /* at once, while the driver tries to connect */
        ck_assert_int_eq(outcome_now(ask(&r[2], &THING, 1)), UV_ECONNREFUSED);
        pause_for(1);
    }
    cluster_start(server);
    until_it_answers();
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
    else if (err == UV_ECONNREFUSED || err == UV_ECONNRESET)
        load.refused++;
    else if (err == ERR_UNCERTAIN)
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
        for (const int from = load.acknowledged; load.acknowledged < from + 20;)
            pause_for(1);
        load.stop = true;                    /* what is under way still is */
        cluster_crash(server);
        while (load.under_way)
            pause_for(1);
        cluster_start(server);
        until_it_answers();
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
    open_with(cluster_url(server));
    const int pid = backend();
    kill(pid, SIGSTOP);                      /* until the end: whoever waited for it would do so for ever */
    options.timeout_ms = 100;
    start(ask(&r[1], &ADD, 2000), &written);
    ck_assert_int_eq(outcome_here(ask(&r[0], &THING, 1)), UV_ETIMEDOUT);
    wait_until_settled(&written, 1);
    ck_assert_int_eq(written, ERR_UNCERTAIN);                /* it may be done yet */
    ck_assert_int_eq(backend_of_first(), pid);               /* nobody has waited for it to be given up */
    options.timeout_ms = 0;
    ck_assert_int_eq(outcome_here(ask(&r[0], &THING, 1)), 0);  /* on another connection */
    ck_assert_int_ne(backend(), pid);
    kill(pid, SIGCONT);
    finish();
}
END_TEST

/* Neither does its end, for which one that connects at that moment would wait for ever, too. */
START_TEST(a_server_that_is_frozen_delays_nobody_for_long)
{
    rows r;
    options.connections = 1;
    options.connect_timeout_ms = 0;
    open_with(cluster_url(server));
    wait_for_all();
    const pid_t postmaster = cluster_pid(server);
    const int pid = backend();
    kill(postmaster, SIGSTOP);               /* takes no cancel requests and no connections */
    kill(pid, SIGSTOP);
    options.timeout_ms = 50;
    ck_assert_int_eq(outcome_here(ask(&r, &SLEEP, 60000)), UV_ETIMEDOUT);
    options.line_timeout_ms = 200;
    ck_assert_int_eq(outcome_here(ask(&r, &THING, 1)), REFUSED(REFUSED_DATABASE_TIMEOUT));
    finish();
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
    options.connect_timeout_ms = 0;          /* never */
    open_with(url);
    ck_assert_int_eq(outcome_here(ask(&r, &THING, 1)), REFUSED(REFUSED_DATABASE_TIMEOUT));
    finish();

    options.line_timeout_ms = 0;
    options.connect_timeout_ms = 50;
    open_with(url);
    ck_assert_int_eq(outcome_here(ask(&r, &THING, 1)), UV_ECONNREFUSED);     /* once that is known */
    ck_assert_int_eq(outcome_now(ask(&r, &THING, 1)), UV_ECONNREFUSED);
    finish();
}
END_TEST

START_TEST(of_several_hosts_one_that_lives_is_found)
{
    char url[256];
    int deaf;
    rows r;
    listen_somewhere(16, &deaf);
    options.connect_timeout_ms = 1000;
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
    options.line_timeout_ms = 0;             /* a look-up may take its time */
    open_with(url);
    ck_assert_int_eq(outcome_here(ask(&r, &THING, 1)), UV_ECONNREFUSED);
    finish();
}
END_TEST

/* So the server is found again as soon, and those who have lost it together do not come back together. */
START_TEST(attempts_to_connect_are_ever_further_apart_but_never_more_than_half_a_second)
{
    uint64_t backoff = 0, least = 500, most = 0;
    ck_assert_uint_eq(pg_backoff(&backoff, false, false), 0);
    for (uint64_t before = backoff; backoff < 500; before = backoff) {
        const uint64_t wait = pg_backoff(&backoff, true, false);
        ck_assert(wait >= before / 2 && wait <= before);
        ck_assert_uint_gt(backoff, before);
    }
    while (most < least + 100) {             /* they are spread */
        const uint64_t wait = pg_backoff(&backoff, true, false);
        ck_assert(wait >= 250 && wait <= 500);
        least = wait < least ? wait : least;
        most = wait > most ? wait : most;
    }
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

START_TEST(what_libpq_refuses_without_a_network_is_refused_before_there_is_one)
{
    static const char *const BAD[][2] = {
        { "postgresql://u:sesame@nowhere.invalid:abc/db", "abc" }, { "postgresql://u:sesame@nowhere.invalid:70000/db", "70000" },
        { "postgresql://u:sesame@nowhere.invalid:1,b.invalid:x/db", "x" },
        { "postgresql://u:sesame@nowhere.invalid/db?sslmode=no-verify", "no-verify" },
        { "postgresql://u:sesame@nowhere.invalid/db?sslmod=require", "sslmod" },
        { "postgresql://u:sesame@nowhere.invalid/db?connect_timeout=soon", "soon" },
        { "postgresql://u:sesame@nowhere.invalid/db?tcp_user_timeout=2s", "2s" },
        { "postgresql://u:sesame@nowhere.invalid/db?target_session_attrs=best", "best" },
        { "host=a.invalid,b.invalid port=1,2,3 password=sesame", "3 ports" },
        { "host=nowhere.invalid port=abc password=sesame", "abc" }, { "host=nowhere.invalid nonsense=1", "nonsense" },
        { "service=no_such_service", "no_such_service" }, { "postgresql:///?service=no_such_service", "no_such_service" },
        { "\"postgresql://u:sesame@h/db\"", "quotes" }, { "mysql://u:sesame@h/db", "begin with" },
        { "postgresql://u:sesame%@h/db", "%25" }, { "postgresql://u:ses@ame@h/db", "%40" }, { "postgresql://u:sesame/x@h/db", "%2F" },
        { "postgresql://u:sesame@[::1/db", "" }, { "postgresql://u:sesame@[::1]x/db", "" }, { "u:sesame@h/db", "begin with" },
        { "password=my sesame host=h", "" }, { "host=h user:sesame@h", "" }, { "password='sesame host=h", "" },
    };
    static const char *const GOOD[] = {
        "postgresql://u:sesame@nowhere.invalid/db", "postgresql://u:sesame@a.invalid:1,b.invalid:2/db?sslmode=verify-full",
        "postgresql://u:p%40@[::1]:5432/db?connect_timeout=3&keepalives=1", "postgresql:///db?host=/nowhere/run", "host=/nowhere",
        "host=nowhere.invalid hostaddr=192.0.2.1 port=1", "postgresql://u:p^w@nowhere.invalid?target_session_attrs=read-write", "",
    };
    char why[512];
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        options.url = BAD[i][0];
        *why = '\0';
        ck_assert_msg(database_check(&options, why, sizeof why) == UV_EINVAL, "%s", BAD[i][0]);
        ck_assert_msg(strlen(why) > 10 && strstr(why, BAD[i][1]) && !strstr(why, "same"), "%s: %s", BAD[i][0], why);
        unsetenv("PGSERVICE");
    }
    for (size_t i = 0; i < sizeof GOOD / sizeof *GOOD; i++) {
        options.url = GOOD[i];
        ck_assert_msg(database_check(&options, why, sizeof why) == 0, "%s: %s", GOOD[i], why);
    }
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
    tcase_set_timeout(t, 60);                /* only for what hangs */
    tcase_add_test(t, reads_do_not_notice_that_their_backends_are_killed);
    tcase_add_test(t, a_read_goes_again_only_where_the_connection_was_begun_after_its_own_had_broken);
    tcase_add_test(t, a_write_whose_backend_is_killed_is_not_sent_again);
    tcase_add_test(t, a_write_that_gives_up_waiting_for_its_standby_is_uncertain);
    tcase_add_test(t, a_connection_whose_end_has_been_announced_takes_no_write);
    tcase_add_loop_test(t, a_server_that_stops_and_comes_back_is_found_again, 0, 2);
    tcase_add_test(t, every_acknowledged_write_is_there_after_the_server_crashed_under_load);
    tcase_add_test(t, a_backend_that_answers_nothing_any_more_is_given_up);
    tcase_add_test(t, a_server_that_is_frozen_delays_nobody_for_long);
    tcase_add_test(t, a_port_where_nobody_answers_is_given_up_in_time);
    tcase_add_loop_test(t, of_several_hosts_one_that_lives_is_found, 0, 2);
    tcase_add_loop_test(t, who_may_not_connect_is_refused_quickly, 0, 4);
    tcase_add_test(t, attempts_to_connect_are_ever_further_apart_but_never_more_than_half_a_second);
    tcase_add_test(t, the_right_password_opens_and_is_not_shown);
    tcase_add_test(t, what_libpq_refuses_without_a_network_is_refused_before_there_is_one);
    tcase_add_test(t, init_creates_once_and_leaves_alone_what_is_not_ours);
    suite_add_tcase(s, t);
    return s;
}
