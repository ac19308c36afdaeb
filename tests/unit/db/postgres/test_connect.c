/* test_connect.c - how the PostgreSQL driver comes to a connection: which URL is one, who is let in, how long
 * and how often it tries; and how the tables come there. */
#include "fixture.h"
#include "tests/support/loopback.h"
#include "server/base/overload/refusal.h"
#include "tests/unit/suites.h"
#include "tests/support/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

START_TEST(a_port_where_nobody_answers_is_given_up_in_time)
{
    char url[128];
    int deaf;
    rows r;
    loopback_listen(16, &deaf);
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
    loopback_listen(16, &deaf);
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

START_TEST(a_host_whose_name_nobody_knows_is_passed_over)
{
    char url[256];
    rows r;
    snprintf(url, sizeof url, "postgresql://tenk@no-such-host.invalid:1,127.0.0.1:%d/tenk", cluster_port(server));
    open_with(url);
    while (outcome_here(ask(&r, &THING, 1)))
        pause_for(5);
    ck_assert_int_eq(r.count, 1);
    finish();
}
END_TEST

static uv_sem_t pool_is_free;

static void wait_for_pool(uv_work_t *work)
{
    (void)work;
    uv_sem_wait(&pool_is_free);
    uv_sem_post(&pool_is_free);
}

START_TEST(a_name_that_is_still_looked_up_is_left_when_it_closes)
{
    enum { MOST = 8 };                       /* more than libuv's pool has */
    static uv_work_t works[MOST];
    char url[256];
    snprintf(url, sizeof url, "postgresql://tenk@localhost:%d/tenk", cluster_port(server));
    uv_sem_init(&pool_is_free, 0);
    loop_start();
    for (int i = 0; i < MOST; i++)
        ck_assert_int_eq(uv_queue_work(loop_here(), &works[i], wait_for_pool, NULL), 0);
    open_blocking(url);                      /* of this loop, which there is already */
    promise *closed = db_close(here);
    uv_sem_post(&pool_is_free);
    finish_after(closed);
    uv_sem_destroy(&pool_is_free);
}
END_TEST

START_TEST(who_may_not_connect_is_refused_quickly)
{
    char url[256];
    rows r;
    const char *urls[] = { "postgresql://locked:wrong@127.0.0.1:%d/tenk", "postgresql://tenk@127.0.0.1:%d/missing",
                           "postgresql://nobody@127.0.0.1:%d/tenk", "postgresql://tenk@no-such-host.invalid:%d/tenk" };
    const bool blocking = _i >= 4;
    snprintf(url, sizeof url, urls[_i % 4], cluster_port(server));
    options.line_timeout_ms = 0;             /* a look-up may take its time */
    (blocking ? open_blocking : open_with)(url);
    ck_assert_int_eq(blocking ? now(&THING, &r, 1) : outcome_here(ask(&r, &THING, 1)), UV_ECONNREFUSED);
    (blocking ? finish_blocking : finish)();
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
        { "postgresql://u:sesame%@h/db", "%25" }, { "postgresql://u:ses@ame@h/db", "%40" },
        { "postgresql://u:sesame/x@h/db", "%2F" },
        { "postgresql://u:sesame@[::1/db", "" }, { "postgresql://u:sesame@[::1]x/db", "" }, { "u:sesame@h/db", "begin with" },
        { "password=my sesame host=h", "" }, { "host=h user:sesame@h", "" }, { "password='sesame host=h", "" },
    };
    static const char *const GOOD[] = {
        "postgresql://u:sesame@nowhere.invalid/db", "postgresql://u:sesame@a.invalid:1,b.invalid:2/db?sslmode=verify-full",
        "postgresql://u:p%40@[::1]:5432/db?connect_timeout=3&keepalives=1", "postgresql:///db?host=/nowhere/run", "host=/nowhere",
        "host=nowhere.invalid hostaddr=192.0.2.1 port=1", "postgresql://u:p^w@nowhere.invalid?target_session_attrs=read-write",
        "",
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

Suite *postgres_connect_suite(void)
{
    Suite *s = suite_create("postgres_connect");
    TCase *t = tcase_create("connect");
    tcase_set_tags(t, "faults");             /* the image is built without them */
    tcase_add_unchecked_fixture(t, make_server, free_server);
    tcase_add_checked_fixture(t, begin, NULL);
    tcase_add_test(t, a_port_where_nobody_answers_is_given_up_in_time);
    tcase_add_loop_test(t, of_several_hosts_one_that_lives_is_found, 0, 2);
    tcase_add_test(t, a_host_whose_name_nobody_knows_is_passed_over);
    tcase_add_test(t, a_name_that_is_still_looked_up_is_left_when_it_closes);
    tcase_add_loop_test(t, who_may_not_connect_is_refused_quickly, 0, 8);
    tcase_add_test(t, attempts_to_connect_are_ever_further_apart_but_never_more_than_half_a_second);
    tcase_add_test(t, the_right_password_opens_and_is_not_shown);
    tcase_add_test(t, what_libpq_refuses_without_a_network_is_refused_before_there_is_one);
    tcase_add_test(t, init_creates_once_and_leaves_alone_what_is_not_ours);
    suite_add_tcase(s, t);
    return s;
}
