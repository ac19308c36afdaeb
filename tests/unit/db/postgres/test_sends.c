/* test_sends.c - libpq cannot send: each query gets its own rows or an error, never another's,
 * and no write is done twice. */
#include "tests/support/failing_libpq.h"
#include "tests/support/impostor.h"
#include "fixture.h"
#include "server/base/blocking_wait.h"
#include "server/base/log.h"
#include "tests/unit/suites.h"
#include "tests/support/support.h"

#include <stdio.h>
#include <string.h>

enum { ALL = 12, WRITES_FROM = 2000 };

static const statement SAME = { "same", "select $1::int8", true },
                       TWICE = { "twice", "select $1::int8 * 2", true },
                       LENGTH = { "length", "select length($1)", true };

/* What fails: in turns, before it has done anything and after it has done all. */
static const libpq_call SENDS[] = { LIBPQ_PREPARE, LIBPQ_PREPARED, LIBPQ_PARAMS, LIBPQ_FLUSH, LIBPQ_SYNC };
enum { CASES = 2 * sizeof SENDS / sizeof *SENDS, BLOCKING = CASES - 2 };          /* a blocking thread sends no SYNC */

static bool writes(int i) { return i % 5 == 3; }

static const statement *of(int i) { return writes(i) ? &ADD : i % 2 ? &SAME : &TWICE; }

static int64_t parameter(int i) { return writes(i) ? WRITES_FROM + i : i; }

static void check(int i, int err, const rows *r)
{
    if (writes(i)) {
        ck_assert_msg(err == ERR_UNCERTAIN || err == 0, "%d", err);
        return;
    }
    ck_assert_int_eq(err, 0);                /* it goes again, on another connection */
    ck_assert_int_eq(rows_int(r, 0, 0), i % 2 ? i : 2 * i);
}

/* The key lets none be there twice: one that was done twice would have failed. */
static void check_writes(const int err[])
{
    char there[256];
    wait_for(CONNECTED, "0");                /* a write may yet be done by one that we have left */
    snprintf(there, sizeof there, " %s ", cluster_ask(server, "with gone as (delete from things where id >= 2000 returning id)"
                                                              " select string_agg(id::text, ' ') from gone"));
    for (int i = 0; i < ALL; i++) {
        char id[16];
        snprintf(id, sizeof id, " %d ", WRITES_FROM + i);
        ck_assert(!writes(i) || err[i] || strstr(there, id));
    }
}

static libpq_call begin_case(int i)
{
    const libpq_call call = SENDS[i / 2];
    log_capture();                           /* of connections that are lost */
    options.prepare = call != LIBPQ_PARAMS;
    return call;
}

START_TEST(whichever_send_fails_each_query_of_a_pipeline_gets_its_own_rows_or_an_error)
{
    rows r[ALL];
    int err[ALL];
    const libpq_call call = begin_case(_i);
    bool failed = true;
    for (int n = 1; failed; n++) {
        options.connections = 1 + n % 2;
        open_with(cluster_url(server));
        wait_for_all();
        libpq_fail(call, n, _i % 2);
        for (int i = 0; i < ALL; i++)
            start(ask(&r[i], of(i), parameter(i)), &err[i]);
        wait_until_settled(err, ALL);
        failed = libpq_failed(call);
        ck_assert(failed || n > 1);
        for (int i = 0; i < ALL; i++)
            check(i, err[i], &r[i]);
        ck_assert_int_eq(outcome_here(ask(&r[0], &SAME, 7)), 0);
        ck_assert_int_eq(rows_int(&r[0], 0, 0), 7);
        finish();
        check_writes(err);
    }
}
END_TEST

START_TEST(whichever_send_fails_a_blocking_thread_gets_its_own_rows_or_an_error)
{
    rows r;
    int err[ALL];
    const libpq_call call = begin_case(_i);
    bool failed = true;
    for (int n = 1; failed; n++) {
        options.connections = 1 + n % 2;
        open_blocking(cluster_url(server));
        ck_assert_int_eq(now(&THING, &r, 1), 0);
        libpq_fail(call, n, _i % 2);
        for (int i = 0; i < ALL; i++) {
            err[i] = now(of(i), &r, parameter(i));
            check(i, err[i], &r);
        }
        failed = libpq_failed(call);
        ck_assert(failed || n > 1);
        finish_blocking();
        check_writes(err);
    }
}
END_TEST

/* Of which at most the preparation has left. */
START_TEST(a_write_that_was_not_sent_whole_is_sent_again)
{
    enum { LATE = 1, BLOCKING_THREAD = 2 };
    const bool blocking = _i & BLOCKING_THREAD;
    rows r;
    log_capture();
    (blocking ? open_blocking : open_with)(cluster_url(server));
    if (blocking)
        ck_assert_int_eq(now(&THING, &r, 1), 0);
    else
        wait_for_all();
    libpq_fail(LIBPQ_PREPARE, 1, _i & LATE);
    ck_assert_int_eq(blocking ? now(&ADD, &r, WRITES_FROM) : outcome_here(ask(&r, &ADD, WRITES_FROM)), 0);
    ck_assert(libpq_failed(LIBPQ_PREPARE));
    (blocking ? finish_blocking : finish)();
    ck_assert_str_eq(cluster_ask(server, "select count(*) from things where id >= 2000"), "1");
}
END_TEST

START_TEST(a_write_that_could_not_begin_behind_a_read_is_sent_again)
{
    rows r[2];
    int err[2];
    log_capture();
    options.connections = 1;
    open_with(cluster_url(server));
    wait_for_all();
    libpq_fail(LIBPQ_SYNC, 1, _i);
    start(ask(&r[0], &SAME, 7), &err[0]);
    start(ask(&r[1], &ADD, WRITES_FROM), &err[1]);
    wait_until_settled(err, 2);
    ck_assert(libpq_failed(LIBPQ_SYNC));
    ck_assert_int_eq(err[0], 0);
    ck_assert_int_eq(err[1], 0);
    finish();
    ck_assert_str_eq(cluster_ask(server, "select count(*) from things where id >= 2000"), "1");
}
END_TEST

/* A new one is asked first whether there is a server; one that cannot be asked is made anew. */
START_TEST(a_connection_that_cannot_be_asked_is_made_anew)
{
    rows r;
    log_capture();
    options.connections = 1;
    libpq_fail(LIBPQ_EMPTY, 1, false);
    open_blocking(cluster_url(server));
    ck_assert_int_eq(now(&THING, &r, 1), UV_ECONNREFUSED);
    ck_assert(libpq_failed(LIBPQ_EMPTY));
    while (now(&THING, &r, 1))
        blocking_wait(-1, 0, deadline_in(1));
    finish_blocking();
}
END_TEST

START_TEST(a_connection_that_cannot_be_made_ready_is_made_anew)
{
    static const libpq_call CALLS[] = { LIBPQ_NONBLOCKING, LIBPQ_PIPELINE };
    rows r;
    log_capture();
    libpq_fail(CALLS[_i], 1, false);
    open_with(cluster_url(server));
    wait_for_all();
    ck_assert(libpq_failed(CALLS[_i]));
    ck_assert_int_eq(outcome_here(ask(&r, &THING, 1)), 0);
    finish();
}
END_TEST

START_TEST(a_cancel_request_that_cannot_be_made_is_made_later)
{
    rows r;
    open_with(cluster_url(server));
    wait_for_all();
    options.timeout_ms = 20;
    libpq_fail(LIBPQ_CANCEL, 1, false);
    ck_assert_int_eq(outcome_here(ask(&r, &SLEEP, 60000)), UV_ETIMEDOUT);
    libpq_failed(LIBPQ_CANCEL);
    wait_for(SLEEPING, "0");
    finish();
}
END_TEST

/* One answer too many, and the question for a copy: whose they are nobody knows. A read has all it wants before the last one; a
 * write does not know whether it is stored. */
START_TEST(a_server_that_answers_what_was_not_asked_is_left)
{
#define DONE "C\0\0\0\15SELECT 0\0"
#define COPY "G\0\0\0\7\0\0\0"
    static const struct { const char *bytes; size_t length; int read; const char *why; } ANSWERS[] = {
        { DONE DONE, sizeof DONE DONE - 1, 0, "more answers than queries" },
        { COPY, sizeof COPY - 1, UV_ECONNRESET, "unexpected kind of answer" },
        { DONE COPY, sizeof DONE COPY - 1, 0, "unexpected kind of answer" },
    };
    char url[128];
    rows r;
    const bool blocking = _i > 2;            /* to whom what is too much is just another answer */
    const int answer = blocking ? _i - 2 : _i;
    snprintf(url, sizeof url, "postgresql://tenk@127.0.0.1:%d/tenk?sslmode=disable&gssencmode=disable",
             impostor_new(ANSWERS[answer].bytes, ANSWERS[answer].length));
    log_capture();
    log_set_level(LOG_DEBUG);
    options.connections = 1;
    (blocking ? open_blocking : open_with)(url);
    for (int i = 0; i < 2; i++) {
        const statement *s = i ? &ADD : &THING;
        ck_assert_int_eq(blocking ? now(s, &r, 1) : outcome_here(ask(&r, s, 1)), i ? ERR_UNCERTAIN : ANSWERS[answer].read);
    }
    ck_assert_int_ge(log_times(ANSWERS[answer].why), 2);
    (blocking ? finish_blocking : finish)();
    impostor_end();
}
END_TEST

START_TEST(parameters_may_be_as_long_as_a_message_takes_them)
{
    enum { MOST = 1000000000 };
    const struct { size_t first, second; bool fits; } cases[] = {
        { 0, 0, true }, { MOST, 0, true }, { MOST + 1, 0, false }, { MOST / 2, MOST / 2, true },
        { MOST / 2, MOST / 2 + 1, false }, { 0, MOST, true }, { 1, MOST, false }, { MOST, MOST, false },
    };
    log_capture();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const value both[] = { string((text){ "", cases[i].first }), integer(1), string((text){ "", cases[i].second }) };
        ck_assert(pg_parameters_fit(&LENGTH, 3, both) == cases[i].fits);
    }
}
END_TEST

/* The text is not there: nobody may have looked at it. */
START_TEST(parameters_that_no_message_can_hold_are_refused_and_disturb_nobody)
{
    rows r, neighbour;
    int err;
    const value huge[] = { string((text){ "", 1000000001 }) };
    const value together[] = { string((text){ "", 600000000 }), string((text){ "", 600000000 }) };
    log_capture();
    open_with(cluster_url(server));
    wait_for_all();
    start(ask(&neighbour, &SAME, 5), &err);
    ck_assert_int_eq(outcome_here(db_query(here, &scratch, NULL, &r, &LENGTH, 1, huge)), DB_EQUERY);
    ck_assert_int_eq(outcome_here(db_query(here, &scratch, NULL, &r, &LENGTH, 2, together)), DB_EQUERY);
    wait_until_settled(&err, 1);
    ck_assert_int_eq(err, 0);
    ck_assert_int_eq(log_times("length"), 2);
    finish();
    open_blocking(cluster_url(server));
    ck_assert_int_eq(outcome_now(db_query(here, &scratch, NULL, &r, &LENGTH, 1, huge)), DB_EQUERY);
    finish_blocking();
}
END_TEST

Suite *postgres_sends_suite(void)
{
    Suite *s = suite_create("postgres_sends");
    TCase *t = tcase_create("sends");
    tcase_set_tags(t, "faults");             /* the image is built without them */
    tcase_add_unchecked_fixture(t, make_server, free_server);
    tcase_add_checked_fixture(t, begin, NULL);
    tcase_add_loop_test(t, whichever_send_fails_each_query_of_a_pipeline_gets_its_own_rows_or_an_error, 0, CASES);
    tcase_add_loop_test(t, whichever_send_fails_a_blocking_thread_gets_its_own_rows_or_an_error, 0, BLOCKING);
    tcase_add_loop_test(t, a_write_that_was_not_sent_whole_is_sent_again, 0, 4);
    tcase_add_loop_test(t, a_write_that_could_not_begin_behind_a_read_is_sent_again, 0, 2);
    tcase_add_test(t, a_connection_that_cannot_be_asked_is_made_anew);
    tcase_add_loop_test(t, a_connection_that_cannot_be_made_ready_is_made_anew, 0, 2);
    tcase_add_test(t, a_cancel_request_that_cannot_be_made_is_made_later);
    tcase_add_loop_test(t, a_server_that_answers_what_was_not_asked_is_left, 0, 5);
    tcase_add_test(t, parameters_may_be_as_long_as_a_message_takes_them);
    tcase_add_test(t, parameters_that_no_message_can_hold_are_refused_and_disturb_nobody);
    suite_add_tcase(s, t);
    return s;
}
