/* test_poller.c - who is told of what, in which order, and who is not. */
#include "server/http/async/poller.h"
#include "server/async/loop.h"
#include "tests/unit/suites.h"
#include "tests/support/support.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MANY = 8 };

static poller here;
static struct side { int fd, other, told; uint32_t events; } sides[MANY];
static int    order[100], count, enough, stops_at, removes;

static bool ready_to(void *who, uint32_t events)
{
    struct side *s = who;
    if (count == enough)
        return false;
    s->told++;
    s->events = events;
    order[count++] = (int)(s - sides);
    if (removes >= 0) {
        poller_remove(&here, sides[removes].fd);
        removes = -1;
    }
    if (count == stops_at)
        loop_stop();
    return true;
}

static void setup(void)
{
    loop_start();
    ck_assert_int_eq(poller_open(&here, ready_to), 0);
    enough = stops_at = removes = -1;
    for (int i = 0; i < MANY; i++) {
        int pair[2];
        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
        sides[i] = (struct side){ .fd = pair[0], .other = pair[1] };
        poller_add(&here, pair[0], &sides[i]);
        ck_assert_int_eq(poller_watch(&here, pair[0], 0, EPOLLIN), 0);
    }
}

static void teardown(void)
{
    for (int i = 0; i < MANY; i++) {
        if (here.connections[sides[i].fd])
            poller_remove(&here, sides[i].fd);
        close(sides[i].fd);
        close(sides[i].other);
    }
    poller_close(&here);
    loop_run();
    ck_assert_int_eq(loop_done(), 0);
}

static void say(int i)  { ck_assert_int_eq(write(sides[i].other, "x", 1), 1); }
static void hear(int i) { char byte; ck_assert_int_eq(read(sides[i].fd, &byte, 1), 1); }
static void turn(void)  { uv_run(loop_here(), UV_RUN_NOWAIT); }

START_TEST(what_is_left_unread_is_told_again)
{
    say(3);
    for (int i = 1; i <= 3; i++) {
        turn();
        ck_assert_int_eq(sides[3].told, i);
        ck_assert_uint_eq(sides[3].events, EPOLLIN);
    }
    hear(3);
    turn();
    ck_assert_int_eq(count, 3);
}
END_TEST

/* Three a turn: without the rest of the batch going first, the same three would come again and again. */
START_TEST(whoever_has_had_enough_leaves_the_rest_for_the_next_turn_in_their_order)
{
    for (int i = 0; i < MANY; i++)
        say(i);
    for (int turns = 1; turns <= 4; turns++) {
        enough = 3 * turns;
        turn();
        ck_assert_int_eq(count, enough);
    }
    for (int i = 0; i < 12; i++)
        ck_assert_int_eq(order[i], i % MANY);
}
END_TEST

START_TEST(one_that_is_removed_is_not_told_even_if_it_was_ready)
{
    say(0);
    say(1);
    removes = 1;
    turn();
    ck_assert_int_eq(sides[0].told, 1);
    ck_assert_int_eq(sides[1].told, 0);
}
END_TEST

START_TEST(one_that_waits_for_nothing_is_not_told_that_the_other_has_gone)
{
    ck_assert_int_eq(poller_watch(&here, sides[0].fd, EPOLLIN, 0), 0);
    shutdown(sides[0].other, SHUT_RDWR);
    turn();
    ck_assert_int_eq(count, 0);
    ck_assert_int_eq(poller_watch(&here, sides[0].fd, 0, EPOLLIN), 0);
    turn();
    ck_assert_int_eq(sides[0].told, 1);
    ck_assert_uint_eq(sides[0].events, EPOLLIN | EPOLLHUP);
}
END_TEST

START_TEST(one_may_wait_for_room_to_write)
{
    ck_assert_int_eq(poller_watch(&here, sides[0].fd, EPOLLIN, EPOLLIN | EPOLLOUT), 0);
    say(0);
    turn();
    ck_assert_uint_eq(sides[0].events, EPOLLIN | EPOLLOUT);
    ck_assert_int_eq(poller_watch(&here, sides[0].fd, EPOLLIN | EPOLLOUT, EPOLLOUT), 0);
    turn();
    ck_assert_uint_eq(sides[0].events, EPOLLOUT);
}
END_TEST

START_TEST(a_loop_runs_while_there_are_sockets)
{
    say(5);
    stops_at = 2;
    loop_run();                              /* until it is stopped */
    ck_assert_int_eq(count, 2);
    for (int i = 0; i < MANY; i++)
        poller_remove(&here, sides[i].fd);
    loop_run();
    ck_assert_int_eq(count, 2);
}
END_TEST

static void take(void *who, void *arg)
{
    struct side *s = who;
    s->told++;
    ++*(int *)arg;
    poller_remove(&here, s->fd);
}

START_TEST(all_are_visited_and_may_be_removed_meanwhile)
{
    int visits = 0;
    poller_remove(&here, sides[2].fd);
    poller_each(&here, take, &visits);
    ck_assert_int_eq(visits, MANY - 1);
    for (int i = 0; i < MANY; i++)
        ck_assert_int_eq(sides[i].told, i != 2);
}
END_TEST

START_TEST(one_with_a_high_number_has_its_place_beside_all_others)
{
    int visits = 0;
    const int low = sides[0].fd;
    sides[0].fd = fcntl(low, F_DUPFD_CLOEXEC, 2 * here.size);
    ck_assert_int_gt(sides[0].fd, here.size);
    poller_remove(&here, low);
    close(low);
    poller_add(&here, sides[0].fd, &sides[0]);
    ck_assert_int_eq(poller_watch(&here, sides[0].fd, 0, EPOLLIN), 0);
    say(0);
    say(1);
    turn();
    ck_assert(sides[0].told == 1 && sides[1].told == 1);
    poller_each(&here, take, &visits);
    ck_assert_int_eq(visits, MANY);
}
END_TEST

Suite *poller_suite(void)
{
    Suite *s = suite_create("poller");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, what_is_left_unread_is_told_again);
    tcase_add_test(t, whoever_has_had_enough_leaves_the_rest_for_the_next_turn_in_their_order);
    tcase_add_test(t, one_that_is_removed_is_not_told_even_if_it_was_ready);
    tcase_add_test(t, one_that_waits_for_nothing_is_not_told_that_the_other_has_gone);
    tcase_add_test(t, one_may_wait_for_room_to_write);
    tcase_add_test(t, a_loop_runs_while_there_are_sockets);
    tcase_add_test(t, all_are_visited_and_may_be_removed_meanwhile);
    tcase_add_test(t, one_with_a_high_number_has_its_place_beside_all_others);
    suite_add_tcase(s, t);
    return s;
}
