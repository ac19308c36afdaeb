/* test_blocking_wait.c - a blocking thread's waits: for a descriptor, for a time, until its client is gone. */
#include "server/base/deadline.h"
#include "server/base/blocking_wait.h"
#include "tests/unit/suites.h"
#include "tests/support/support.h"

#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include <uv.h>

enum { HALF_CLOSE = 1000 };                  /* ms that it has after its last word; a busy machine takes its time, too */

static int thing[2], client, peer;           /* what is waited for; our end of a connection, and theirs */

static void connect_client(void)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    socklen_t length = sizeof at;
    const int listener = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(listener, (struct sockaddr *)&at, length), 0);
    ck_assert_int_eq(listen(listener, 1), 0);
    getsockname(listener, (struct sockaddr *)&at, &length);
    peer = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(connect(peer, (struct sockaddr *)&at, length), 0);
    client = accept(listener, NULL, NULL);
    close(listener);
}

static void setup(void)
{
    ck_assert_int_eq(pipe(thing), 0);
    connect_client();
    blocking_follow(client, HALF_CLOSE);
}

static void make_ready(void) { ck_assert_int_eq(write(thing[1], "x", 1), 1); }

static void reset_by_peer(void)
{
    setsockopt(peer, SOL_SOCKET, SO_LINGER, &(struct linger){ 1, 0 }, sizeof(struct linger));
    close(peer);
}

static uint64_t since(uint64_t start) { return (uv_hrtime() - start) / 1000000; }

START_TEST(what_is_ready_is_not_waited_for)
{
    make_ready();
    ck_assert_int_eq(blocking_wait(thing[0], POLLIN, NO_DEADLINE), 0);
}
END_TEST

START_TEST(what_has_failed_is_ready_too)
{
    close(thing[1]);
    ck_assert_int_eq(blocking_wait(thing[0], POLLIN, NO_DEADLINE), 0);
}
END_TEST

START_TEST(a_wait_ends_in_time_and_not_before)
{
    const uint64_t start = uv_hrtime();
    ck_assert_int_eq(blocking_wait(thing[0], POLLIN, deadline_in(3)), UV_ETIMEDOUT);
    ck_assert_uint_ge(since(start), 3);
    ck_assert_int_eq(blocking_wait(-1, 0, deadline_in(0)), UV_ETIMEDOUT);
}
END_TEST

START_TEST(a_client_that_says_more_disturbs_nothing)
{
    ck_assert_int_eq(send(peer, "more", 4, 0), 4);
    ck_assert_int_eq(blocking_wait(thing[0], POLLIN, deadline_in(2)), UV_ETIMEDOUT);
    ck_assert(!blocking_cancelled());
}
END_TEST

START_TEST(a_client_that_has_said_all_is_waited_for_a_while)
{
    const uint64_t start = uv_hrtime();
    shutdown(peer, SHUT_WR);
    ck_assert_int_eq(blocking_wait(-1, 0, deadline_in(1)), UV_ETIMEDOUT);  /* it has time yet */
    ck_assert(!blocking_cancelled());
    make_ready();
    ck_assert_int_eq(blocking_wait(thing[0], POLLIN, NO_DEADLINE), 0);
    ck_assert_int_eq(blocking_wait(-1, 0, NO_DEADLINE), UV_ECANCELED);
    ck_assert_uint_ge(since(start), HALF_CLOSE);
}
END_TEST

START_TEST(to_look_again_gives_such_a_client_no_more_time)
{
    blocking_follow(client, 60000);
    shutdown(peer, SHUT_WR);
    ck_assert(!blocking_cancelled());
    clock_skip(31000);
    ck_assert(!blocking_cancelled());
    clock_skip(31000);
    ck_assert(blocking_cancelled());
}
END_TEST

START_TEST(a_client_that_resets_is_gone_at_once)
{
    reset_by_peer();
    ck_assert_int_eq(blocking_wait(-1, 0, NO_DEADLINE), UV_ECANCELED);
    ck_assert(blocking_cancelled());
}
END_TEST

START_TEST(once_cancelled_all_waits_fail_until_it_follows_anew)
{
    reset_by_peer();
    ck_assert(blocking_cancelled());
    make_ready();
    ck_assert_int_eq(blocking_wait(thing[0], POLLIN, NO_DEADLINE), UV_ECANCELED);
    blocking_follow(-1, 0);
    ck_assert(!blocking_cancelled());
    ck_assert_int_eq(blocking_wait(thing[0], POLLIN, NO_DEADLINE), 0);
}
END_TEST

START_TEST(another_client_has_all_of_its_time)
{
    blocking_follow(client, 60000);
    shutdown(peer, SHUT_WR);
    ck_assert_int_eq(blocking_wait(-1, 0, deadline_in(1)), UV_ETIMEDOUT);
    connect_client();
    blocking_follow(client, 60000);
    clock_skip(61000);
    ck_assert_int_eq(blocking_wait(-1, 0, deadline_in(1)), UV_ETIMEDOUT);
    ck_assert(!blocking_cancelled());
}
END_TEST

static void on_alarm(int number) { (void)number; }

START_TEST(a_signal_ends_no_wait)
{
    const struct itimerval soon = { .it_value = { .tv_usec = 1000 } };
    ck_assert_int_eq(sigaction(SIGALRM, &(struct sigaction){ .sa_handler = on_alarm }, NULL), 0);
    ck_assert_int_eq(setitimer(ITIMER_REAL, &soon, NULL), 0);
    ck_assert_int_eq(blocking_wait(thing[0], POLLIN, deadline_in(5)), UV_ETIMEDOUT);
}
END_TEST

START_TEST(no_wait_lasts_longer_than_the_deadline)
{
    const uint64_t start = uv_hrtime();
    ck_assert_uint_eq(blocking_deadline(), NO_DEADLINE);
    blocking_limit(deadline_in(60000));
    ck_assert_int_eq(blocking_wait(thing[0], POLLIN, deadline_in(1)), UV_ETIMEDOUT);
    ck_assert(!blocking_late());                /* that was its own time */
    blocking_limit(deadline_in(3));
    ck_assert_int_eq(blocking_wait(thing[0], POLLIN, NO_DEADLINE), UV_ETIMEDOUT);
    ck_assert_uint_ge(since(start), 3);
    ck_assert(blocking_late());
    ck_assert_int_eq(blocking_wait(-1, 0, deadline_in(60000)), UV_ETIMEDOUT);
    make_ready();
    ck_assert_int_eq(blocking_wait(thing[0], POLLIN, NO_DEADLINE), 0);        /* what is there needs no wait */
    blocking_limit(NO_DEADLINE);
    ck_assert(!blocking_late());
    ck_assert_uint_lt(since(start), 60000);
}
END_TEST

static int      errands;
static uint64_t errand_next;

static uint64_t errand(void *arg)
{
    ck_assert_ptr_eq(arg, &errands);
    errands++;
    return errand_next;
}

START_TEST(an_errand_is_run_when_it_is_due_and_the_wait_goes_on)
{
    const uint64_t start = uv_hrtime();
    errand_next = deadline_in(10);
    blocking_errand(-1, deadline_in(5), errand, &errands);
    while (errands < 2)
        ck_assert_int_eq(blocking_wait(-1, 0, deadline_in(20)), UV_ETIMEDOUT);
    ck_assert_uint_ge(since(start), 10);
    errands = 0;
    errand_next = NO_DEADLINE;
    blocking_errand(-1, deadline_in(0), errand, &errands);
    make_ready();
    ck_assert_int_eq(blocking_wait(thing[0], POLLIN, NO_DEADLINE), 0);       /* it is due, and does not hide what is ready */
    ck_assert_int_eq(errands, 1);
    ck_assert(!blocking_cancelled());
    ck_assert_int_eq(errands, 1);
    blocking_errand(-1, deadline_in(0), errand, &errands);
    ck_assert(!blocking_cancelled());        /* a look runs it, too */
    ck_assert_int_eq(errands, 2);
}
END_TEST

START_TEST(an_errand_of_a_descriptor_is_run_once)
{
    int said[2];
    ck_assert_int_eq(pipe(said), 0);
    errand_next = NO_DEADLINE;
    blocking_errand(said[0], NO_DEADLINE, errand, &errands);
    ck_assert_int_eq(blocking_wait(-1, 0, deadline_in(1)), UV_ETIMEDOUT);
    ck_assert_int_eq(errands, 0);
    ck_assert_int_eq(write(said[1], "x", 1), 1);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(blocking_wait(-1, 0, deadline_in(1)), UV_ETIMEDOUT);
    ck_assert_int_eq(errands, 1);
    blocking_errand(said[0], NO_DEADLINE, errand, &errands);
    blocking_errand(-1, NO_DEADLINE, NULL, NULL);            /* there is nothing more to do */
    ck_assert_int_eq(blocking_wait(-1, 0, deadline_in(1)), UV_ETIMEDOUT);
    ck_assert_int_eq(errands, 1);
}
END_TEST

START_TEST(an_errand_that_has_enough_cancels_the_thread)
{
    errand_next = BLOCKING_ENOUGH;
    blocking_errand(-1, deadline_in(1), errand, &errands);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(blocking_wait(thing[0], POLLIN, NO_DEADLINE), UV_ECANCELED);
    ck_assert(blocking_cancelled());
    ck_assert_int_eq(errands, 1);
}
END_TEST

START_TEST(for_ever_does_not_overflow)
{
    ck_assert_uint_eq(deadline_in(UINT64_MAX), NO_DEADLINE);
    ck_assert_uint_gt(deadline_in(1000), uv_hrtime());
    ck_assert_int_eq(deadline_poll_ms(NO_DEADLINE), -1);
    ck_assert_int_eq(deadline_poll_ms(uv_hrtime()), 0);
    const uint64_t hour = deadline_in(3600000);
    const int ms = deadline_poll_ms(hour);
    ck_assert_uint_ge(uv_hrtime() + (uint64_t)ms * 1000000, hour);       /* rounded up */
}
END_TEST

Suite *blocking_wait_suite(void)
{
    Suite *s = suite_create("blocking_wait");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_test(t, what_is_ready_is_not_waited_for);
    tcase_add_test(t, what_has_failed_is_ready_too);
    tcase_add_test(t, a_wait_ends_in_time_and_not_before);
    tcase_add_test(t, a_client_that_says_more_disturbs_nothing);
    tcase_add_test(t, a_client_that_has_said_all_is_waited_for_a_while);
    tcase_add_test(t, to_look_again_gives_such_a_client_no_more_time);
    tcase_add_test(t, a_client_that_resets_is_gone_at_once);
    tcase_add_test(t, once_cancelled_all_waits_fail_until_it_follows_anew);
    tcase_add_test(t, another_client_has_all_of_its_time);
    tcase_add_test(t, a_signal_ends_no_wait);
    tcase_add_test(t, no_wait_lasts_longer_than_the_deadline);
    tcase_add_test(t, an_errand_is_run_when_it_is_due_and_the_wait_goes_on);
    tcase_add_test(t, an_errand_of_a_descriptor_is_run_once);
    tcase_add_test(t, an_errand_that_has_enough_cancels_the_thread);
    tcase_add_test(t, for_ever_does_not_overflow);
    suite_add_tcase(s, t);
    return s;
}
