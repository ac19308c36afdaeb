/* test_worker.c - one turn after the other: clients' requests take a part of each, and go on in the next. */
#include "connection_fixture.h"
#include "server/http/async/turn.h"
#include "server/http/request.h"
#include "tests/unit/http/serving.h"
#include "tests/unit/suites.h"
#include "tests/support/support.h"

#include <sys/socket.h>

static int other(request *req) { return respond(req, 200, "text/plain", TEXT("other")); }

static const route ROUTES_HERE[] = { { "GET", "/other", .await = other } };

static void begin(void) { serving_start(ROUTES_HERE, 1); }

/* Takes what the kernel has of them, and lets nothing else happen. */
static int answers_there(int fd)
{
    static char bytes[100000];
    int n = 0;
    const ssize_t got = recv(fd, bytes, sizeof bytes - 1, MSG_DONTWAIT);
    bytes[got > 0 ? got : 0] = '\0';
    for (const char *at = bytes; (at = strstr(at, "\r\n\r\nother")); at++)
        n++;
    return n;
}

/* What was refused counts as what was served: then others have their turn. */
START_TEST(so_many_requests_of_one_connection_are_looked_at_in_one_turn)
{
    enum { ALL = 100 };
    static char words[ALL * sizeof GET("/other")];
    serving_config.limits.pipeline = 8;
    begin();
    for (int i = 0; i < ALL; i++)
        strcat(words, GET("/other"));
    client c = client_new();
    ck_assert_int_eq(send(c.fd, words, strlen(words), 0), (int)strlen(words));
    for (int answered = 0; answered < ALL;) {
        serving_turn();
        const int more = answers_there(c.fd);
        ck_assert_int_le(more, 8);
        answered += more;
    }
    client_close(&c);
    serving_stop();
}
END_TEST

/* However long the loop has slept: its turn begins with what comes. */
START_TEST(who_comes_after_a_rest_is_heard_in_the_same_turn)
{
    serving_config.limits.pipeline = 1;
    begin();
    client c = client_new();
    const char both[] = GET("/other") GET("/other");         /* the second is looked at when I/O is over */
    ck_assert_int_eq(send(c.fd, both, strlen(both), 0), (int)strlen(both));
    for (int answered = 0; answered < 2; answered += answers_there(c.fd))
        serving_turn();
    clock_skip(1000);
    ck_assert_int_eq(send(c.fd, GET("/other"), strlen(GET("/other")), 0), (int)strlen(GET("/other")));
    serving_turn();
    ck_assert_int_eq(answers_there(c.fd), 1);
    client_close(&c);
    serving_stop();
}
END_TEST

START_TEST(clients_that_come_all_at_once_are_accepted_in_several_turns)
{
    enum { ALL = 50 };
    client c[ALL];
    begin();
    for (int i = 0; i < ALL; i++)
        c[i] = client_connecting();
    clock_tick(1);                      /* a millisecond passes with each look at it */
    int turns = 0, before = 0, most = 0;
    while (serving_connections() < ALL) {
        serving_turn();
        const int now = serving_connections() - before;
        ck_assert_int_le(now, TURN_BUDGET + 2);
        most = now > most ? now : most;
        before = serving_connections();
        ck_assert_int_lt(++turns, 10 * ALL);
    }
    clock_tick(0);
    ck_assert_int_ge(most, TURN_BUDGET / 2);                 /* each takes two looks, or one */
    for (int i = 0; i < ALL; i++) {
        client_say(&c[i], GET("/other"));
        client_until(&c[i], "other");
        client_close(&c[i]);
    }
    serving_stop();
}
END_TEST

Suite *worker_suite(void)
{
    Suite *s = suite_create("worker");
    TCase *t = tcase_create("turns");
    tcase_add_test(t, so_many_requests_of_one_connection_are_looked_at_in_one_turn);
    tcase_add_test(t, who_comes_after_a_rest_is_heard_in_the_same_turn);
    tcase_add_test(t, clients_that_come_all_at_once_are_accepted_in_several_turns);
    suite_add_tcase(s, t);
    return s;
}
