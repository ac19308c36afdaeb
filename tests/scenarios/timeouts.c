/* timeouts.c - how long the server waits for the slow: for a head, a body, the next request, a
 * reader. */
#include "scenarios.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void with_short_timeouts(void)
{
    server_start("timeouts", "TENK_TIMEOUTS_HEAD=300ms", "TENK_TIMEOUTS_BODY=300ms",
                 "TENK_TIMEOUTS_IDLE=300ms", "TENK_TIMEOUTS_WRITE=500ms",
                 "TENK_LIMITS_OUTPUT=256KiB", NULL);
}

static struct { double at, granted; } timed;

static void begin_timing(void)
{
    timed.at = now_s();
    timed.granted = granted_s();
}

/* No less by the clock, and not as much of what a busy machine granted. */
static void expect_it_took(double least, double less_than)
{
    const double took = now_s() - timed.at, granted = granted_s() - timed.granted;
    ck_assert_msg(took >= least && granted < less_than, "after %.2f s, of which %.2f were granted", took, granted);
}

START_TEST(a_head_that_does_not_end_is_408)
{
    begin_timing();
    client *c = client_new();
    client_say(c, "GET /json HTTP/1.1\r\nHost: t\r\n");
    const answer a = client_answer(c);
    expect_it_took(0.29, 3);
    ck_assert_int_eq(a.status, 408);
    ck_assert(header_is(&a, "Connection", "close"));
    ck_assert(client_closed(c));
    client_free(c);
}
END_TEST

START_TEST(a_head_byte_by_byte_gains_no_time)
{
    const double before = granted_s();
    client *c = client_new();
    client_say(c, "GET /json HTTP/1.1\r\nHost: t\r\nX: ");
    while (client_quiet(c) && granted_s() < before + 10) {
        client_say(c, "x");
        pause_ms(5);
    }
    ck_assert_int_eq(client_answer(c).status, 408);
    ck_assert_double_lt(granted_s() - before, 3);
    client_free(c);
}
END_TEST

START_TEST(the_second_head_has_its_time_too)
{
    client *c = client_new();
    client_say(c, "GET /json HTTP/1.1\r\nHost: t\r\n\r\nGET /js");
    ck_assert_int_eq(client_answer(c).status, 200);
    ck_assert_int_eq(client_answer(c).status, 408);
    ck_assert(client_closed(c));
    client_free(c);
}
END_TEST

START_TEST(an_idle_connection_is_closed_without_a_word)
{
    begin_timing();
    client *fresh = client_new(), *used = client_new();
    client_say(used, "GET /json HTTP/1.1\r\nHost: t\r\n\r\n");
    ck_assert_int_eq(client_answer(used).status, 200);
    ck_assert(client_closed(used));
    expect_it_took(0.29, 3);
    ck_assert_msg(client_closed(fresh), "one that never asked is answered");
    client_free(fresh);
    client_free(used);
}
END_TEST

START_TEST(one_that_never_sends_a_byte_is_closed_after_the_time_for_a_head)
{
    server_start("timeouts", "TENK_TIMEOUTS_HEAD=300ms", "TENK_TIMEOUTS_IDLE=60s", NULL);
    const double before = now_s();
    client *mute = client_new(), *used = client_new();
    client_say(used, "GET /json HTTP/1.1\r\nHost: t\r\n\r\n");
    ck_assert_int_eq(client_answer(used).status, 200);
    ck_assert_msg(client_closed(mute), "it is kept, or answered");
    ck_assert_double_ge(now_s() - before, 0.29);
    client_say(used, "GET /sleep?ms=400 HTTP/1.1\r\nHost: t\r\n\r\n");
    ck_assert_int_eq(client_answer(used).status, 200);
    client_say(used, "GET /json HTTP/1.1\r\nHost: t\r\n\r\n");
    ck_assert_int_eq(client_answer(used).status, 200);
    client_free(mute);
    client_free(used);
    server_stop();
}
END_TEST

/* False if this process, kept waiting by a busy machine, was idle itself for nearly as long as one may be. */
static bool uses_a_connection_for_longer_than_one_may_be_idle(void)
{
    client *c = client_new();
    bool in_use = true;
    double answered = now_s();
    for (const double end = answered + 0.8; in_use && answered < end; answered = now_s()) {
        client_say(c, "GET /sleep?ms=50 HTTP/1.1\r\nHost: t\r\n\r\n");
        in_use = now_s() - answered < 0.2;
        ck_assert(client_answer(c).status == 200 || !in_use);
    }
    client_say(c, "GET /sleep?ms=700 HTTP/1.1\r\nHost: t\r\n\r\n");
    in_use = in_use && now_s() - answered < 0.2;
    ck_assert(client_answer(c).status == 200 || !in_use);
    client_free(c);
    return in_use;
}

START_TEST(a_connection_in_use_is_not_idle)
{
    ck_assert(eventually(20, uses_a_connection_for_longer_than_one_may_be_idle()));
}
END_TEST

START_TEST(a_body_that_does_not_come_is_408)
{
    begin_timing();
    client *c = client_new();
    client_say(c, "POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\n\r\nhel");
    ck_assert_int_eq(client_answer(c).status, 408);
    ck_assert(client_closed(c));
    expect_it_took(0.29, 3);
    client_free(c);
    c = client_new();
    client_say(c, "POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n");
    ck_assert_int_eq(client_answer(c).status, 408);
    client_free(c);
}
END_TEST

static void expect_408_byte_by_byte(const char *head)
{
    const double before = granted_s();
    client *c = client_new();
    client_say(c, head);
    while (client_quiet(c) && granted_s() < before + 10) {
        client_say(c, "x");
        pause_ms(5);
    }
    ck_assert_int_eq(client_answer(c).status, 408);
    ck_assert_double_lt(granted_s() - before, 4);
    client_free(c);
}

START_TEST(a_body_byte_by_byte_is_408)
{
    expect_408_byte_by_byte("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 60000\r\n\r\n");
}
END_TEST

/* There is no end in sight of what its handler pulls; but each byte is waited for, and all that time together counts. */
START_TEST(a_body_that_streams_byte_by_byte_is_408_too)
{
    expect_408_byte_by_byte("POST /import HTTP/1.1\r\nHost: t\r\nContent-Type: application/x-ndjson\r\n"
                            "Content-Length: 60000\r\n\r\n");
}
END_TEST

START_TEST(who_reads_nothing_costs_little_and_not_for_long)
{
    enum { READERS = 20 };
    client *c[READERS];
    get("/static/large.bin");
    const long before = server_resident();
    const int before_descriptors = server_descriptors();
    for (int i = 0; i < READERS; i++) {
        c[i] = client_small(4096);
        for (int k = 0; k < 20; k++)
            client_say(c[i], "GET /static/large.bin HTTP/1.1\r\nHost: t\r\n\r\n");
    }
    long most = 0;
    const double end = now_s() + 0.3;
    while (now_s() < end) {
        most = server_resident() > most ? server_resident() : most;
        pause_ms(10);
    }
    if (!run_slowed()) /* 20 readers, 20 answers of 4 MiB each: 1.6 GiB for the careless */
        ck_assert_msg(most - before < 40L << 20, "%ld KiB for %d readers", (most - before) >> 10,
                      READERS);
    ck_assert_msg(eventually(5, server_descriptors() < before_descriptors + 2), "they are still open");
    for (int i = 0; i < READERS; i++)
        client_free(c[i]);
    expect(get("/json"), 200, NULL);
}
END_TEST

START_TEST(who_reads_nothing_of_many_small_answers_is_stopped_too)
{
    expect(get("/users/42"), 200, NULL);     /* the database's files are open */
    const int before_descriptors = server_descriptors();
    client *c = client_small(4096);
    client_set_timeout(c, 0.2);
    const long before = server_resident();
    static const char request[] = "GET /users/42 HTTP/1.1\r\nHost: t\r\n\r\n";
    for (int i = 0; i < 20000; i++)          /* the server stops reading long before all is sent */
        if (!client_say(c, request))
            break;
    if (!run_slowed())
        ck_assert_msg(server_resident() - before < 40L << 20, "%ld KiB",
                      (server_resident() - before) >> 10);
    ck_assert_msg(eventually(5, server_descriptors() <= before_descriptors), "it is still open");
    client_free(c);
    expect(get("/json"), 200, NULL);
}
END_TEST

START_TEST(a_slow_reader_who_reads_gets_everything)
{
    client *c = client_small(65536);
    client_say(c, "GET /static/large.bin HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n");
    pause_ms(200);                           /* slow, yet within the write timeout */
    const answer a = client_answer(c);
    expect(a, 200, NULL);
    ck_assert_uint_eq(a.length, 4 << 20);
    client_free(c);
}
END_TEST

static int by_time(const void *a, const void *b)
{
    const double one = *(const double *)a, other = *(const double *)b;
    return (one > other) - (one < other);
}

START_TEST(thousands_of_slow_heads_do_not_slow_the_others)
{
    const int count = most_connections(scaled(2000));
    client *c[2000];
    bool begun[2000];                        /* in time: who says nothing for as long as a head may take is told nothing */
    for (int i = 0; i < count; i++) {
        const double before = now_s();
        c[i] = client_new();
        client_say(c[i], "GET / HTTP/1.1\r\nX: ");
        begun[i] = now_s() - before < 0.2;
    }
    enum { MANY = 50 };
    double took[MANY];
    for (int i = 0; i < MANY; i++) {
        const double before = now_s();
        expect(get("/healthz"), 200, NULL);
        took[i] = now_s() - before;
    }
    qsort(took, MANY, sizeof *took, by_time);                /* the usual one: some stand behind those that come, */
    ck_assert_msg(took[MANY / 2] < 0.25, "%.0f ms", took[MANY / 2] * 1000);  /* or behind another program */
    for (int i = 0; i < count; i++) {
        const int status = client_answer(c[i]).status;
        ck_assert_msg(status == 408 || (status == 0 && !begun[i]), "%d", status);
        client_free(c[i]);
    }
}
END_TEST

/* A request's own time. Theirs is another server, for others' answers take longer. */

START_TEST(a_handler_that_takes_longer_than_a_request_may_is_504_and_the_connection_goes_on)
{
    char file[256];
    sqlite3 *other;                          /* has the database's lock, for which the handler waits */
    server_start("timeouts", "TENK_TIMEOUTS_REQUEST=200ms", NULL);
    snprintf(file, sizeof file, "%s/tenk.db", here.folder);
    ck_assert_int_eq(sqlite3_open(file, &other), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(other, "begin immediate", NULL, NULL, NULL), SQLITE_OK);
    client *c = client_new();
    for (int i = 0; i < 2; i++) {
        begin_timing();
        client_say(c, "POST /users/1/posts HTTP/1.1\r\nHost: t\r\nContent-Type: application/x-www-form-urlencoded\r\n"
                      "Content-Length: 14\r\n\r\ntitle=t&body=b");
        const answer a = client_answer(c);
        expect_it_took(0.19, 3);
        expect_problem(a, 504);
        client_say(c, "GET /sleep?ms=1 HTTP/1.1\r\nHost: t\r\n\r\n");
        ck_assert_int_eq(client_answer(c).status, 200);
    }
    client_free(c);
    sqlite3_close(other);
    server_stop();
}
END_TEST

/* It promises up to a minute, whatever others may take. */
START_TEST(sleep_has_a_deadline_of_its_own)
{
    server_start("timeouts", "TENK_TIMEOUTS_REQUEST=100ms", NULL);
    expect_body(get("/sleep?ms=300"), "300");
    expect_body(get("/sleep/promise?ms=300"), "300");
    server_stop();
}
END_TEST

static void expect_large_file(client *c)
{
    const answer a = client_answer(c);
    expect(a, 200, NULL);
    ck_assert_uint_eq(a.length, 4 << 20);
    client_free(c);
}

START_TEST(an_answer_that_has_begun_may_take_longer)
{
    server_start("timeouts", "TENK_TIMEOUTS_REQUEST=1s", NULL);
    client *c = client_small(4096);
    client_say(c, "GET /static/large.bin HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n");
    pause_ms(1200);
    expect_large_file(c);
    server_stop();
}
END_TEST

/* So slow that the kernel, which holds megabytes, takes none from the server for longer than that may wait. */
START_TEST(a_reader_that_takes_a_little_now_and_then_is_not_cut_off)
{
    server_start("timeouts", "TENK_TIMEOUTS_WRITE=1s", NULL);
    client *c = client_small(4096);
    client_say(c, "GET /static/large.bin HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n");
    const double end = now_s() + 3;
    for (double next = now_s(); now_s() < end; pause_ms(5))
        if (now_s() >= next) {
            client_take(c);
            next += 0.2;
        }
    expect_large_file(c);
    server_stop();
}
END_TEST

START_TEST(without_a_limit_a_request_may_take_as_long_as_it_likes)
{
    server_start("timeouts", "TENK_TIMEOUTS_REQUEST=0", NULL);
    expect(get("/sleep?ms=100"), 200, NULL);
    server_stop();
}
END_TEST

Suite *timeouts_suite(void)
{
    Suite *s = suite_create("timeouts");
    TCase *t = theme(s, "timeouts", with_short_timeouts);
    tcase_add_test(t, a_head_that_does_not_end_is_408);
    tcase_add_test(t, a_head_byte_by_byte_gains_no_time);
    tcase_add_test(t, the_second_head_has_its_time_too);
    tcase_add_test(t, an_idle_connection_is_closed_without_a_word);
    tcase_add_test(t, a_connection_in_use_is_not_idle);
    tcase_add_test(t, a_body_that_does_not_come_is_408);
    tcase_add_test(t, a_body_byte_by_byte_is_408);
    tcase_add_test(t, a_body_that_streams_byte_by_byte_is_408_too);
    tcase_add_test(t, who_reads_nothing_costs_little_and_not_for_long);
    tcase_add_test(t, who_reads_nothing_of_many_small_answers_is_stopped_too);
    tcase_add_test(t, a_slow_reader_who_reads_gets_everything);
    tcase_add_test(t, thousands_of_slow_heads_do_not_slow_the_others);
    t = theme(s, "timeouts", NULL);
    tcase_add_test(t, one_that_never_sends_a_byte_is_closed_after_the_time_for_a_head);
    tcase_add_test(t, a_handler_that_takes_longer_than_a_request_may_is_504_and_the_connection_goes_on);
    tcase_add_test(t, sleep_has_a_deadline_of_its_own);
    tcase_add_test(t, an_answer_that_has_begun_may_take_longer);
    tcase_add_test(t, a_reader_that_takes_a_little_now_and_then_is_not_cut_off);
    tcase_add_test(t, without_a_limit_a_request_may_take_as_long_as_it_likes);
    return s;
}
