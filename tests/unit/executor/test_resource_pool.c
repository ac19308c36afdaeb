/* test_resource_pool.c - things that blocking threads share: who is served when, who waits, how that ends. */
#include "server/executor/resource_pool.h"
#include "server/base/blocking_wait.h"
#include "tests/unit/suites.h"
#include "tests/support/support.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MANY = 8, WAITS = 1 };

static resource_pool shared;
static struct thing { resource base; int number; } things[2] = { { .number = 1 }, { .number = 2 } };

static struct waiter {
    pthread_t  thread;
    uint64_t   until;
    resource_pool_turn as;
    bool       keeps;                        /* does not release it */
    int        client;                       /* fd + 1 */
    atomic_int err;
    int        turn;                         /* its place among those who got one */
} waiters[MANY];
static atomic_int turns;

static void setup(void)
{
    resource_pool_init(&shared, 4, (codel){ 0 });
    for (int i = 0; i < MANY; i++)
        waiters[i] = (struct waiter){ .until = NO_DEADLINE, .err = WAITS };
}

static void *wait_for_one(void *arg)
{
    struct waiter *w = arg;
    resource *thing;
    if (w->client)
        blocking_follow(w->client - 1, 0);
    const int err = resource_pool_acquire(&shared, &thing, w->until, w->as);
    if (!err) {
        w->turn = atomic_fetch_add(&turns, 1);
        if (!w->keeps)
            resource_pool_release(&shared, thing);
    }
    atomic_store(&w->err, err);
    return NULL;
}

static int without_outcome(int last)
{
    int n = 0;
    for (int i = 0; i <= last; i++)
        n += waiters[i].err == WAITS;
    return n;
}

/* Those without an outcome are counted first: one that leaves the line after that is missed in it. */
static bool all_wait(int last)
{
    const int so_many = without_outcome(last);
    return resource_pool_waiting(&shared) >= so_many;
}

static void begin_waiting(int i)                   /* returns when it waits */
{
    ck_assert_int_eq(pthread_create(&waiters[i].thread, NULL, wait_for_one, &waiters[i]), 0);
    while (!all_wait(i))
        sched_yield();
}

static int outcome(int i)
{
    pthread_join(waiters[i].thread, NULL);
    return waiters[i].err;
}

static int acquired(void)                    /* at once; its number, or an error */
{
    resource *thing;
    const int err = resource_pool_acquire(&shared, &thing, deadline_in(0), RESOURCE_POOL_USUAL);
    return err ? err : ((struct thing *)thing)->number;
}

START_TEST(the_one_used_last_is_lent_first)
{
    resource_pool_release(&shared, &things[0].base);
    resource_pool_release(&shared, &things[1].base);
    ck_assert_int_eq(acquired(), 2);
    ck_assert_int_eq(acquired(), 1);
    ck_assert_int_eq(acquired(), UV_ETIMEDOUT);
    ck_assert_ptr_null(resource_pool_try_acquire(&shared));
    resource_pool_release(&shared, &things[0].base);
    ck_assert_ptr_eq(resource_pool_try_acquire(&shared), &things[0].base);
    resource_pool_done(&shared);
}
END_TEST

START_TEST(who_comes_first_is_served_first_and_who_comes_again_before_all)
{
    for (int i = 0; i < 4; i++) {
        waiters[i].as = i == 3 ? RESOURCE_POOL_AHEAD : RESOURCE_POOL_USUAL;
        begin_waiting(i);
    }
    resource_pool_release(&shared, &things[0].base);     /* each releases it */
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(outcome(i), 0);
    ck_assert_int_eq(waiters[3].turn, 0);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(waiters[i].turn, i + 1);
    ck_assert_int_eq(acquired(), 1);
    resource_pool_done(&shared);
}
END_TEST

START_TEST(a_full_line_refuses_at_once_but_nobody_who_comes_again)
{
    for (int i = 0; i < 4; i++)
        begin_waiting(i);
    ck_assert_int_eq(resource_pool_waiting(&shared), 4);
    resource *thing;
    ck_assert_int_eq(resource_pool_acquire(&shared, &thing, NO_DEADLINE, RESOURCE_POOL_USUAL), UV_EAGAIN);
    waiters[4].as = RESOURCE_POOL_AHEAD;
    begin_waiting(4);
    resource_pool_release(&shared, &things[0].base);
    for (int i = 0; i < 5; i++)
        ck_assert_int_eq(outcome(i), 0);
    resource_pool_done(&shared);
}
END_TEST

START_TEST(who_has_waited_long_enough_leaves_and_the_others_move_up)
{
    waiters[0].until = waiters[2].until = deadline_in(5);
    for (int i = 0; i < 4; i++)
        begin_waiting(i);
    ck_assert_int_eq(outcome(0), UV_ETIMEDOUT);
    ck_assert_int_eq(outcome(2), UV_ETIMEDOUT);
    ck_assert_uint_ge(uv_hrtime(), waiters[0].until);
    ck_assert_int_eq(resource_pool_waiting(&shared), 2);
    resource_pool_release(&shared, &things[0].base);
    ck_assert_int_eq(outcome(1), 0);
    ck_assert_int_eq(outcome(3), 0);
    ck_assert_int_eq(waiters[1].turn, 0);
    resource_pool_done(&shared);
}
END_TEST

static atomic_int looks;                     /* of threads after their clients */
static void (*_Atomic while_it_looks)(void);

/* Stands before libc's: something happens while a thread looks after its client, which it does without the lock. */
int poll(struct pollfd *of, nfds_t count, int ms)
{
    looks++;
    void (*happens)(void) = atomic_exchange(&while_it_looks, NULL);
    const struct timespec most = { ms / 1000, ms % 1000 * 1000000l };
    if (happens)
        happens();
    return ppoll(of, count, ms < 0 ? NULL : &most, NULL);
}

static int gone_client(int i)                /* waiter i follows one; the other end, whose close makes it go */
{
    int ends[2];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    waiters[i].client = ends[0] + 1;
    return ends[1];
}

START_TEST(who_has_lost_its_client_leaves_the_queue)
{
    const int client = gone_client(1);
    for (int i = 0; i < 3; i++)
        begin_waiting(i);
    close(client);
    looks = 0;
    ck_assert_int_eq(outcome(1), UV_ECANCELED);
    ck_assert_int_le(looks, 2);              /* one may have been under way */
    ck_assert_int_eq(resource_pool_waiting(&shared), 2);
    resource_pool_release(&shared, &things[0].base);
    ck_assert_int_eq(outcome(0), 0);
    ck_assert_int_eq(outcome(2), 0);
    resource_pool_done(&shared);
}
END_TEST

START_TEST(who_has_lost_its_client_passes_on_its_turn)
{
    const int client = gone_client(0);
    begin_waiting(0);
    begin_waiting(1);
    close(client);
    resource_pool_release(&shared, &things[0].base);     /* before it has looked by itself */
    ck_assert_int_eq(outcome(0), UV_ECANCELED);
    ck_assert_int_eq(outcome(1), 0);
    ck_assert_int_eq(acquired(), 1);
    resource_pool_done(&shared);
}
END_TEST

static void release_one(void) { resource_pool_release(&shared, &things[0].base); }

START_TEST(who_gets_its_turn_while_it_finds_its_client_gone_passes_it_on)
{
    close(gone_client(0));
    while_it_looks = release_one;
    begin_waiting(0);
    ck_assert_int_eq(outcome(0), UV_ECANCELED);
    ck_assert_ptr_null(while_it_looks);
    ck_assert_int_eq(resource_pool_waiting(&shared), 0);
    ck_assert_int_eq(acquired(), 1);
    resource_pool_done(&shared);
}
END_TEST

START_TEST(a_refusal_answers_all_in_line_and_all_who_come)
{
    for (int i = 0; i < 3; i++)
        begin_waiting(i);
    resource_pool_refuse(&shared, UV_ECONNREFUSED);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(outcome(i), UV_ECONNREFUSED);
    ck_assert_int_eq(acquired(), UV_ECONNREFUSED);
    resource_pool_release(&shared, &things[0].base);
    ck_assert_int_eq(acquired(), UV_ECONNREFUSED);
    resource_pool_refuse(&shared, 0);
    ck_assert_int_eq(acquired(), 1);
    resource_pool_done(&shared);
}
END_TEST

static atomic_int inside, most;

static void *use_often(void *arg)
{
    int *good = arg;
    for (int i = 0; i < 500; i++) {
        resource *thing;
        const resource_pool_turn turn = i % 16 == 0 ? RESOURCE_POOL_AHEAD : i % 3 == 0 ? RESOURCE_POOL_MORE : RESOURCE_POOL_USUAL;
        if (resource_pool_acquire(&shared, &thing, NO_DEADLINE, turn))
            return NULL;
        struct thing *mine = (struct thing *)thing;
        const int now = atomic_fetch_add(&inside, 1) + 1;
        if (now > atomic_load(&most))
            atomic_store(&most, now);
        mine->number++;                      /* unguarded: whose it is has it alone */
        atomic_fetch_sub(&inside, 1);
        resource_pool_release(&shared, thing);
        (*good)++;
    }
    return NULL;
}

START_TEST(many_threads_share_few_things_and_lose_none)
{
    enum { THREADS = 32 };
    pthread_t threads[THREADS];
    int good[THREADS] = { 0 }, all = 0;
    resource_pool_done(&shared);
    resource_pool_init(&shared, THREADS, (codel){ 0 });
    things[0].number = things[1].number = 0;
    resource_pool_release(&shared, &things[0].base);
    resource_pool_release(&shared, &things[1].base);
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, use_often, &good[i]), 0);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        all += good[i];
    }
    ck_assert_int_eq(all, THREADS * 500);
    ck_assert_int_eq(things[0].number + things[1].number, all);
    ck_assert_int_le(most, 2);
    resource_pool_done(&shared);
}
END_TEST

START_TEST(a_long_line_looks_more_rarely)
{
    clock_hold();
    const uint64_t ms = 1000000, now = uv_hrtime();
    ck_assert_uint_eq(blocking_next_look(1), now + BLOCKING_LOOK_MS * ms);
    ck_assert_uint_eq(blocking_next_look(BLOCKING_LOOK_MS), now + BLOCKING_LOOK_MS * ms);
    ck_assert_uint_eq(blocking_next_look(5000), now + 5000 * ms);
}
END_TEST

START_TEST(who_has_more_to_ask_for_is_served_after_every_four_others)
{
    enum { MORE = 2 };
    shared.most_waiting = MANY;
    for (int i = 0; i < MANY; i++) {
        waiters[i].as = i < MORE ? RESOURCE_POOL_MORE : RESOURCE_POOL_USUAL;
        begin_waiting(i);
    }
    resource_pool_release(&shared, &things[0].base);     /* each releases it */
    for (int i = 0; i < MANY; i++)
        ck_assert_int_eq(outcome(i), 0);
    const int turns_of[MANY] = { 4, 7, 0, 1, 2, 3, 5, 6 };
    for (int i = 0; i < MANY; i++)
        ck_assert_int_eq(waiters[i].turn, turns_of[i]);
    resource_pool_done(&shared);
}
END_TEST

START_TEST(who_comes_again_is_before_those_who_have_more_to_ask_for_too)
{
    shared.most_waiting = MANY;
    waiters[0].as = RESOURCE_POOL_MORE;
    for (int i = 0; i < 5; i++) {
        waiters[i].keeps = true;
        begin_waiting(i);
    }
    for (int i = 1; i < 5; i++) {            /* four others: it would be its turn */
        resource_pool_release(&shared, &things[0].base);
        ck_assert_int_eq(outcome(i), 0);
    }
    waiters[5].as = RESOURCE_POOL_AHEAD;
    begin_waiting(5);
    resource_pool_release(&shared, &things[0].base);
    ck_assert_int_eq(outcome(5), 0);
    resource_pool_release(&shared, &things[0].base);
    ck_assert_int_eq(outcome(0), 0);
    resource_pool_done(&shared);
}
END_TEST

START_TEST(who_gets_its_turn_is_woken_for_it)
{
    uint64_t quickest = UINT64_MAX;
    for (int i = 0; i < MANY; i++) {
        waiters[i].keeps = true;
        begin_waiting(i);
        const uint64_t start = uv_hrtime();
        resource_pool_release(&shared, &things[0].base);
        ck_assert_int_eq(outcome(i), 0);
        const uint64_t took = uv_hrtime() - start;
        quickest = took < quickest ? took : quickest;
    }
    ck_assert_uint_lt(quickest, BLOCKING_LOOK_MS * 1000000ull / 2);         /* it does not find it by looking */
    resource_pool_done(&shared);
}
END_TEST

/* So that those who give up, and come again, do not keep the machine from all else. */
START_TEST(of_a_long_line_that_stands_few_give_up_at_a_time)
{
    enum { A_SECOND = 2000, LONG = A_SECOND };
    resource *thing;
    shared.most_waiting = 2 * LONG;
    shared.codel = codel_of_ms(1, 0);
    begin_waiting(0);
    clock_skip(CODEL_INTERVAL / 1000000);
    shared.waiting += LONG;                    /* so many would take a second: longer than this one can wait */
    ck_assert_int_eq(resource_pool_acquire(&shared, &thing, deadline_in(5), RESOURCE_POOL_USUAL), UV_ETIMEDOUT);
    shared.waiting -= LONG;
    ck_assert_int_eq(resource_pool_acquire(&shared, &thing, NO_DEADLINE, RESOURCE_POOL_USUAL), UV_EBUSY);
    resource_pool_release(&shared, &things[0].base);
    ck_assert_int_eq(outcome(0), 0);
    resource_pool_done(&shared);
}
END_TEST

START_TEST(while_the_line_stands_nobody_waits_longer_than_the_target)
{
    resource *thing;
    clock_hold();                            /* it does not stand yet */
    shared.codel = codel_of_ms(1, 0);
    begin_waiting(0);                              /* a burst: it may wait for ever */
    ck_assert_uint_eq(resource_pool_worth(&shared), UINT64_MAX);
    clock_skip(CODEL_INTERVAL / 1000000);
    ck_assert_uint_eq(resource_pool_worth(&shared), 1);
    clock_tick(1);
    ck_assert_int_eq(resource_pool_acquire(&shared, &thing, NO_DEADLINE, RESOURCE_POOL_USUAL), UV_EBUSY);
    ck_assert_int_eq(resource_pool_acquire(&shared, &thing, deadline_in(0), RESOURCE_POOL_USUAL), UV_ETIMEDOUT);
    ck_assert_int_eq(resource_pool_waiting(&shared), 1);
    resource_pool_release(&shared, &things[0].base);
    ck_assert_int_eq(outcome(0), 0);
    ck_assert_uint_eq(resource_pool_worth(&shared), UINT64_MAX);
    resource_pool_done(&shared);
}
END_TEST

Suite *resource_pool_suite(void)
{
    Suite *s = suite_create("resource_pool");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_test(t, the_one_used_last_is_lent_first);
    tcase_add_test(t, who_comes_first_is_served_first_and_who_comes_again_before_all);
    tcase_add_test(t, a_full_line_refuses_at_once_but_nobody_who_comes_again);
    tcase_add_test(t, who_has_waited_long_enough_leaves_and_the_others_move_up);
    tcase_add_test(t, who_has_lost_its_client_leaves_the_queue);
    tcase_add_test(t, who_has_lost_its_client_passes_on_its_turn);
    tcase_add_test(t, who_gets_its_turn_while_it_finds_its_client_gone_passes_it_on);
    tcase_add_test(t, a_refusal_answers_all_in_line_and_all_who_come);
    tcase_add_test(t, who_has_more_to_ask_for_is_served_after_every_four_others);
    tcase_add_test(t, who_comes_again_is_before_those_who_have_more_to_ask_for_too);
    tcase_add_test(t, who_gets_its_turn_is_woken_for_it);
    tcase_add_test(t, of_a_long_line_that_stands_few_give_up_at_a_time);
    tcase_add_test(t, while_the_line_stands_nobody_waits_longer_than_the_target);
    tcase_add_test(t, many_threads_share_few_things_and_lose_none);
    tcase_add_test(t, a_long_line_looks_more_rarely);
    suite_add_tcase(s, t);
    return s;
}
