/* stop_with_clients.c - who is connected when the server is told to stop, and asks, or does not. */
#include "scenarios.h"

#include <signal.h>
#include <string.h>

#define ASK "GET /json HTTP/1.1\r\nHost: t\r\n\r\n"

static void expect_the_last_answer(client *c)
{
    const answer a = client_answer(c);
    expect(a, 200, "application/json");
    ck_assert_msg(header_is(&a, "Connection", "close"), "%s", a.head);
    ck_assert(client_closed(c));
}

START_TEST(who_is_connected_may_ask_once_more)
{
    server_start("stopping", NULL);
    client *used = client_new(), *fresh = client_new(), *slow = client_asking("/sleep?ms=400");
    client_say(used, ASK);
    ck_assert_int_eq(client_answer(used).status, 200);
    expect(get("/healthz"), 200, NULL);
    server_signal(SIGTERM);
    ck_assert_int_eq(client_answer(slow).status, 200);       /* by now it has been stopping for a while */
    ck_assert(eventually(10, client_refused(here.port)));    /* or has not had a processor */
    client_say(used, ASK);
    expect_the_last_answer(used);
    client_say(fresh, ASK);
    expect_the_last_answer(fresh);
    ck_assert_int_eq(server_wait(), 0);
    client_free(used);
    client_free(fresh);
    client_free(slow);
}
END_TEST

/* Whoever is connected before the signal, and whoever comes in the same moment, as long as anybody is let in: those in
 * the kernel's hands when a worker closes its listener it resets, which takes no time worth the name; but when the signal
 * reaches one of the workers, and when the other, is the machine's to say. */
START_TEST(no_request_is_lost)
{
    enum { MANY = 40, MOST = 400, WORKERS = 2 };
    client *c[MANY + MOST];
    double asked[MANY + MOST], closed = 0;   /* the last time one did, and how many have */
    int count = 0, closings = 0;
    server_start("stopping", "--workers", "2", NULL);
    for (; count < MANY; count++) {
        c[count] = client_new();
        asked[count] = 0;
        if (count % 2) {
            client_say(c[count], ASK);
            ck_assert_int_eq(client_answer(c[count]).status, 200);
        }
    }
    client *slow = client_asking("/sleep?ms=300");
    expect(get("/healthz"), 200, NULL);
    server_signal(SIGTERM);
    for (client *one; count < MANY + MOST && (one = client_try(here.port)); count++) {
        asked[count] = now_s();
        c[count] = one;
        client_say(one, ASK);
    }
    for (int i = 0; i < MANY / 2; i++)
        client_say(c[i], ASK);
    ck_assert_int_eq(client_answer(slow).status, 200);
    for (int i = MANY / 2; i < MANY; i++)    /* who takes a while to ask is no worse off */
        client_say(c[i], ASK);
    client_free(slow);
    for (int i = 0; i < count; i++) {
        const int status = client_answer(c[i]).status;
        if (status == 0 && i >= MANY && asked[i] >= closed + 0.05) {
            closed = asked[i];
            closings++;
        }
        ck_assert_msg(status == 200 || (status == 0 && i >= MANY && closings <= WORKERS), "number %d of %d: %d", i, count,
                      status);
        client_free(c[i]);
    }
    ck_assert_int_eq(server_wait(), 0);
}
END_TEST

START_TEST(who_asks_nothing_is_let_go_in_the_end_and_that_is_no_failure)
{
    server_start("stopping", "TENK_TIMEOUTS_DRAIN=300ms", NULL);
    client *used = client_new(), *fresh = client_new();
    client_say(used, ASK);
    ck_assert_int_eq(client_answer(used).status, 200);
    const double before = now_s();
    server_signal(SIGTERM);
    ck_assert(client_closed(used) && client_closed(fresh));
    ck_assert_double_ge(now_s() - before, 0.29);
    ck_assert_int_eq(server_wait(), 0);
    ck_assert(!server_log_has("not done in time"));
    client_free(used);
    client_free(fresh);
}
END_TEST

START_TEST(it_ends_when_the_last_client_has_left)
{
    server_start("stopping", "TENK_TIMEOUTS_DRAIN=60s", NULL);
    client *used = client_new(), *fresh = client_new();
    client_say(used, ASK);
    ck_assert_int_eq(client_answer(used).status, 200);
    server_signal(SIGTERM);
    ck_assert(eventually(10, client_refused(here.port)));
    ck_assert(server_running());
    client_free(used);
    client_free(fresh);
    ck_assert_int_eq(server_wait(), 0);
}
END_TEST

Suite *stop_with_clients_suite(void)
{
    Suite *s = suite_create("stop_with_clients");
    TCase *t = theme(s, "stopping", NULL);
    tcase_add_test(t, who_is_connected_may_ask_once_more);
    tcase_add_test(t, no_request_is_lost);
    tcase_add_test(t, who_asks_nothing_is_let_go_in_the_end_and_that_is_no_failure);
    tcase_add_test(t, it_ends_when_the_last_client_has_left);
    return s;
}
