/* test_client_bounds.c - outgoing requests in bounds: of size, time and number; and cancelled wherever they are. */
#include "client_fixture.h"
#include "server/base/overload/refusal.h"
#include "tests/unit/suites.h"

#include <stdlib.h>

enum { MANY = 20 };

static http_answer  answers[MANY];
static promise     *asked[MANY];
static int          errs[MANY];

static http_client_options options = {
    .connections = 3, .line = MANY, .timeout_ms = 10000, .connect_timeout_ms = 5000, .size = 1000,
};

static void setup_in_bounds(void)
{
    setup();
    http_client_configure(&options);
}

static void configure(int connections, int line)
{
    options.connections = connections;
    options.line = line;
    http_client_configure(&options);
}

static void turn(void)
{
    loop_run_ready();
    uv_run(loop_here(), UV_RUN_NOWAIT);
    loop_run_ready();
}

static void turn_until(int (*count)(void), int n)
{
    while (count() != n)
        turn();
}

static void ask(int i, const char *url)
{
    errs[i] = 1;
    asked[i] = http_get(&a, url, &answers[i]);
    when_settled(asked[i], store, &errs[i]);
}

static int get(const char *path) { return outcome_of(http_get(&a, peer_url(path), &answers[0])); }

/* Size. */

START_TEST(an_answer_larger_than_it_may_be_is_an_error)
{
    ck_assert_int_eq(get("/big/1000"), 0);
    ck_assert_uint_eq(answers[0].body.length, 1000);
    ck_assert_int_eq(get("/big/1001"), UV_E2BIG);
    ck_assert_int_eq(get("/endless"), UV_E2BIG);
    ck_assert_int_eq(get("/heads"), UV_E2BIG);
    const http_call larger = { .url = peer_url("/big/5000"), .most = 5000 }, smaller = { .url = peer_url("/hello"), .most = 4 };
    ck_assert_int_eq(outcome_of(http_fetch(&a, &larger, &answers[0])), 0);
    ck_assert_int_eq(outcome_of(http_fetch(&a, &smaller, &answers[0])), UV_E2BIG);
    ck_assert_int_eq(get("/hello"), 0);
}
END_TEST

START_TEST(of_a_head_alone_the_length_is_not_counted)
{
    ck_assert_int_eq(outcome_of(http_fetch(&a, &(http_call){ .method = "HEAD", .url = peer_url("/big/5000") }, &answers[0])), 0);
    ck_assert_int_eq(answers[0].status, 200);
}
END_TEST

/* Time. */

static int get_within(const char *url, uint64_t ms)
{
    return outcome_of(http_fetch(&a, &(http_call){ .url = url, .timeout_ms = ms }, &answers[0]));
}

START_TEST(a_server_that_says_nothing_or_not_all_is_waited_for_so_long)
{
    ck_assert_int_eq(get_within(peer_url("/gate"), 5), UV_ETIMEDOUT);
    ck_assert_int_eq(get_within(peer_url("/drip"), 5), UV_ETIMEDOUT);
    turn_until(peer_waiting, 0);             /* the connections are closed */
}
END_TEST

START_TEST(so_is_one_that_takes_no_connection_or_has_no_address_yet)
{
    options.connect_timeout_ms = 5;
    configure(3, MANY);
    ck_assert_int_eq(outcome_of(http_get(&a, peer_deaf_url(), &answers[0])), UV_ETIMEDOUT);
    ck_assert_int_eq(outcome_of(http_get(&a, peer_url_at("http://slow.test", "/hello"), &answers[0])), UV_ETIMEDOUT);
    peer_answer_look_ups();
    turn_until(peer_look_ups, 0);
}
END_TEST

START_TEST(the_time_in_line_counts)
{
    configure(1, 1);
    ask(1, peer_url("/gate"));
    turn_until(peer_waiting, 1);
    int err = 1;
    when_settled(http_fetch(&a, &(http_call){ .url = peer_url("/hello"), .timeout_ms = 5 }, &answers[0]), store, &err);
    while (err == 1)
        turn();
    ck_assert_int_eq(err, UV_ETIMEDOUT);
    peer_open(1);
    loop_run();
    ck_assert_int_eq(errs[1], 0);
    ck_assert_int_eq(peer_requests(), 1);
}
END_TEST

/* Number. */

START_TEST(never_more_than_so_many_are_under_way_and_all_have_their_turn)
{
    for (int i = 0; i < MANY; i++)
        ask(i, peer_url("/gate"));
    turn_until(peer_waiting, 3);
    peer_open(MANY);
    loop_run();
    for (int i = 0; i < MANY; i++)
        ck_assert_int_eq(errs[i], 0);
    ck_assert_int_eq(peer_most(), 3);
    ck_assert_int_eq(peer_requests(), MANY);
    ck_assert_int_eq(peer_connections(), 3);
}
END_TEST

START_TEST(a_full_line_refuses_at_once)
{
    configure(1, 2);
    for (int i = 0; i < 3; i++)
        ask(i, peer_url("/gate"));
    ck_assert_int_eq(outcome_now(http_get(&a, peer_url("/gate"), &answers[3])), REFUSED(REFUSED_OUTGOING_LINE));
    peer_open(3);
    loop_run();
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(errs[i], 0);
}
END_TEST

/* Cancelling. */

/* Nothing may touch the arena and the answer any more: both are gone. */
static void cancelled_once(const char *url, int (*count)(void), int n)
{
    int err = 1;
    arena *mine = calloc(1, sizeof *mine);
    http_answer *got = malloc(sizeof *got);
    promise *p = http_get(mine, url, got);
    when_settled(p, store, &err);
    if (count)
        turn_until(count, n);
    for (int i = 0; i < 3; i++)
        turn();
    promise_cancel(p);
    loop_run_ready();
    ck_assert_int_eq(err, UV_ECANCELED);
    arena_done(mine);
    free(mine);
    free(got);
}

START_TEST(cancelled_while_it_waits_for_an_answer_it_hangs_up)
{
    cancelled_once(peer_url("/gate"), peer_waiting, 1);
    turn_until(peer_waiting, 0);
}
END_TEST

START_TEST(cancelled_while_it_receives_it_hangs_up)
{
    cancelled_once(peer_url("/drip"), peer_waiting, 1);
    turn_until(peer_waiting, 0);
}
END_TEST

START_TEST(cancelled_before_it_began_or_while_it_connects_it_ends_at_once)
{
    int err = 1;
    promise *p = http_get(&a, peer_url("/hello"), &answers[0]);
    when_settled(p, store, &err);
    promise_cancel(p);
    loop_run();
    ck_assert_int_eq(err, UV_ECANCELED);
    cancelled_once(peer_deaf_url(), NULL, 0);
    ck_assert_int_eq(peer_requests(), 0);
}
END_TEST

static void ask_one_and_two_in_line(void)
{
    configure(1, 2);
    for (int i = 0; i < 3; i++)
        ask(i, peer_url("/gate"));
    turn_until(peer_waiting, 1);
}

START_TEST(cancelled_in_line_it_is_never_sent)
{
    ask_one_and_two_in_line();
    promise_cancel(asked[1]);
    peer_open(2);
    loop_run();
    ck_assert_int_eq(errs[0], 0);
    ck_assert_int_eq(errs[1], UV_ECANCELED);
    ck_assert_int_eq(errs[2], 0);
    ck_assert_int_eq(peer_requests(), 2);
}
END_TEST

START_TEST(cancelled_when_its_turn_has_just_come_it_gives_that_on)
{
    ask_one_and_two_in_line();
    promise_cancel(asked[0]);                /* the first in line has a permit, and has not heard of it */
    promise_cancel(asked[1]);
    peer_open(1);
    loop_run();
    ck_assert_int_eq(errs[1], UV_ECANCELED);
    ck_assert_int_eq(errs[2], 0);
}
END_TEST

START_TEST(cancelled_while_a_name_is_looked_up_it_keeps_its_place_until_that_has_ended)
{
    configure(1, 2);
    cancelled_once(peer_url_at("http://slow.test", "/hello"), peer_look_ups, 1);
    ask(0, peer_url("/hello"));
    for (int i = 0; i < 10; i++)
        turn();
    ck_assert_int_eq(peer_connections(), 0);
    peer_answer_look_ups();
    loop_run();
    ck_assert_int_eq(errs[0], 0);
    ck_assert_int_eq(peer_connections(), 1); /* the other one has connected to nobody */
}
END_TEST

START_TEST(closing_cancels_all_wherever_they_are_and_refuses_what_comes)
{
    int closed = 1;
    configure(3, 2);
    ask(0, peer_url("/gate"));
    ask(1, peer_url("/drip"));
    ask(2, peer_url_at("http://slow.test", "/hello"));
    ask(3, peer_url("/hello"));
    turn_until(peer_waiting, 2);
    turn_until(peer_look_ups, 1);
    promise_cancel(asked[2]);
    when_settled(http_client_close(), store, &closed);
    ck_assert_int_eq(outcome_now(http_get(&a, peer_url("/hello"), &answers[4])), UV_ECANCELED);
    loop_run();
    ck_assert_int_eq(closed, 0);
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(errs[i], UV_ECANCELED);
    ck_assert_int_eq(peer_requests(), 2);
    ck_assert_int_eq(get("/hello"), 0);      /* it opens again, for who wants it to */
    peer_answer_look_ups();
    turn_until(peer_look_ups, 0);
}
END_TEST

Suite *client_bounds_suite(void)
{
    Suite *s = suite_create("client_bounds");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup_in_bounds, teardown);
    tcase_add_test(t, an_answer_larger_than_it_may_be_is_an_error);
    tcase_add_test(t, of_a_head_alone_the_length_is_not_counted);
    tcase_add_test(t, a_server_that_says_nothing_or_not_all_is_waited_for_so_long);
    tcase_add_test(t, so_is_one_that_takes_no_connection_or_has_no_address_yet);
    tcase_add_test(t, the_time_in_line_counts);
    tcase_add_test(t, never_more_than_so_many_are_under_way_and_all_have_their_turn);
    tcase_add_test(t, a_full_line_refuses_at_once);
    tcase_add_test(t, cancelled_while_it_waits_for_an_answer_it_hangs_up);
    tcase_add_test(t, cancelled_while_it_receives_it_hangs_up);
    tcase_add_test(t, cancelled_before_it_began_or_while_it_connects_it_ends_at_once);
    tcase_add_test(t, cancelled_in_line_it_is_never_sent);
    tcase_add_test(t, cancelled_when_its_turn_has_just_come_it_gives_that_on);
    tcase_add_test(t, cancelled_while_a_name_is_looked_up_it_keeps_its_place_until_that_has_ended);
    tcase_add_test(t, closing_cancels_all_wherever_they_are_and_refuses_what_comes);
    suite_add_tcase(s, t);
    return s;
}
