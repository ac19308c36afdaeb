/* ready.c - GET /readyz: when requests are to be sent here. GET /healthz beside it says only that the process serves. */
#include "scenarios.h"

#include "tests/scenarios/support/postgres.h"

#include <signal.h>

static bool is_ready(void) { return get("/readyz").status == 200; }

START_TEST(a_server_whose_database_answers_is_ready)
{
    server_start("ready", NULL);
    expect(get("/readyz"), 200, "text/plain");
    expect(get("/readyz"), 200, "text/plain");
    server_stop();
}
END_TEST

START_TEST(one_whose_database_was_never_there_is_not)
{
    server_start("ready", "DATABASE_URL=postgresql://tenk@127.0.0.1:1/tenk", "TENK_HEALTH_GRACE=1h", NULL);
    const answer a = get("/readyz");
    expect_unavailable(a);
    expect_body(a, "The database has not answered yet.");
    expect(get("/healthz"), 200, NULL);
    server_stop();
}
END_TEST

START_TEST(one_that_stops_is_not)
{
    server_start("ready", NULL);
    client *c = client_new(), *other = client_asking("/sleep?ms=60000");
    client_say(c, "GET /readyz HTTP/1.1\r\nHost: t\r\n\r\n");
    ck_assert_int_eq(client_answer(c).status, 200);
    server_signal(SIGTERM);
    ck_assert(server_says("stopping (SIGTERM)"));
    client_say(c, "GET /readyz HTTP/1.1\r\nHost: t\r\n\r\n");
    const answer a = client_answer(c);
    expect_unavailable(a);
    expect_body(a, "The server is stopping.");
    client_free(c);
    client_reset(other);
    server_wait();
}
END_TEST

/* Its balancer sends requests until it has looked again: they are answered as before. */
START_TEST(one_that_is_to_stop_serves_on_for_the_drain_delay_but_is_not_ready)
{
    server_start("ready", "TENK_TIMEOUTS_DRAIN_DELAY=1h", NULL);
    client *c = client_new();
    server_signal(SIGTERM);
    ck_assert(eventually(5, !is_ready()));
    for (int i = 0; i < 3; i++) {
        expect(get("/users/42"), 200, "text/html");
        client_say(c, "GET /healthz HTTP/1.1\r\nHost: t\r\n\r\n");
        const answer a = client_answer(c);
        ck_assert_int_eq(a.status, 200);
        ck_assert(!header_is(&a, "Connection", "close"));
    }
    client_free(c);
    server_signal(SIGTERM);                  /* once more stops at once */
    ck_assert_int_eq(server_wait(), 128 + SIGTERM);
    server_start("ready", "TENK_TIMEOUTS_DRAIN_DELAY=100ms", NULL);
    server_signal(SIGTERM);
    ck_assert_int_eq(server_wait(), 0);
}
END_TEST

START_TEST(one_whose_postgresql_is_away_is_not_until_it_is_back)
{
    server_start_on_postgres("ready", "TENK_HEALTH_GRACE=0", NULL);
    ck_assert(eventually(10, is_ready()));
    cluster_stop(postgres());
    ck_assert(eventually(10, !is_ready()));
    const answer a = get("/readyz");
    expect_unavailable(a);
    expect_body(a, "The database has been away for ");
    expect(get("/healthz"), 200, NULL);
    cluster_start(postgres());
    ck_assert(eventually(20, is_ready()));
    server_stop();
}
END_TEST

START_TEST(for_as_long_as_health_grace_says_it_is_all_the_same)
{
    server_start_on_postgres("ready", "TENK_HEALTH_GRACE=1h", NULL);
    ck_assert(eventually(10, is_ready()));
    cluster_stop(postgres());
    ck_assert(eventually(10, get("/users/42").status == 503));
    ck_assert(is_ready());
    cluster_start(postgres());
    ck_assert(eventually(20, get("/users/42").status == 200));
    ck_assert(is_ready());
    server_stop();
}
END_TEST

Suite *ready_suite(void)
{
    Suite *s = suite_create("ready");
    TCase *t = tcase_create("ready");
    tcase_add_test(t, a_server_whose_database_answers_is_ready);
    tcase_add_test(t, one_whose_database_was_never_there_is_not);
    tcase_add_test(t, one_that_stops_is_not);
    tcase_add_test(t, one_that_is_to_stop_serves_on_for_the_drain_delay_but_is_not_ready);
    suite_add_tcase(s, t);
    t = postgres_theme(s, "ready_postgres");
    tcase_add_test(t, one_whose_postgresql_is_away_is_not_until_it_is_back);
    tcase_add_test(t, for_as_long_as_health_grace_says_it_is_all_the_same);
    return s;
}
