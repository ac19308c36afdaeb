/* test_subscription_threads.c - publishing from threads, to several loops, and to blocking threads. */
#include "topic_fixture.h"
#include "server/async/task.h"
#include "server/async/timing.h"
#include "server/base/blocking_wait.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MESSAGES = 2000, PUBLISHERS = 3, READERS = 20 };

static uv_sem_t there;                       /* posted by each reader that has subscribed */
static atomic_int missed;                    /* by all readers */
static atomic_int failures;

static void setup_threads(void)
{
    topic_setup_with((topic_options){ .keep = PUBLISHERS * MESSAGES, .most = 4, .bytes = 64 * 1024 * 1024 });
    uv_sem_init(&there, 0);
}

/* Message i of publisher p is "p i": those of one come in order, and all of them. */
static void publish_many(void *arg)
{
    char bytes[32];
    for (int i = 0; i < MESSAGES; i++) {
        snprintf(bytes, sizeof bytes, "%d %d", (int)(intptr_t)arg, i);
        publish(bytes);
    }
}

static void publish_from_threads(void)
{
    uv_thread_t ids[PUBLISHERS];
    for (intptr_t i = 0; i < PUBLISHERS; i++)
        ck_assert_int_eq(uv_thread_create(&ids[i], publish_many, (void *)i), 0);
    for (int i = 0; i < PUBLISHERS; i++)
        uv_thread_join(&ids[i]);
}

static int read_all(void *arg)
{
    arena mine;
    const topic_message *m;
    int next[PUBLISHERS] = { 0 }, e = 0;
    int64_t last = 0;
    (void)arg;
    arena_init(&mine, NULL, 0);
    subscription *s = topic_subscribe(&mine, t, TOPIC_NEW);
    uv_sem_post(&there);
    for (int n = 0; n < PUBLISHERS * MESSAGES && !(e = await(subscription_receive(s, &m))); n++) {
        int publisher = -1, i = -1;
        char bytes[32];
        snprintf(bytes, sizeof bytes, "%.*s", (int)m->bytes.length, m->bytes.at);
        sscanf(bytes, "%d %d", &publisher, &i);
        failures += publisher < 0 || i != next[publisher]++ || m->id <= last;
        last = m->id;
    }
    failures += e != 0;
    missed += (int)subscription_dropped(s);
    arena_done(&mine);
    return e;
}

static int outcomes[2][READERS];

static void loop_thread(void *arg)
{
    int *mine = arg;
    ck_assert_int_eq(loop_start(), 0);
    for (int i = 0; i < READERS; i++) {
        promise *p = task_start("reader", read_all, NULL);
        mine[i] = 1;
        when_settled(p, store, &mine[i]);
    }
    loop_run();
    topics_loop_end();
    failures += loop_done() != 0;
}

static void blocking_thread(void *arg) { failures += read_all(arg); }

static void wait_for_readers(int count)
{
    while (count-- > 0)
        uv_sem_wait(&there);
}

START_TEST(two_loops_get_all_that_threads_publish_in_order)
{
    uv_thread_t loops[2];
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(uv_thread_create(&loops[i], loop_thread, outcomes[i]), 0);
    wait_for_readers(2 * READERS);
    publish_from_threads();
    for (int i = 0; i < 2; i++)
        uv_thread_join(&loops[i]);
    for (int i = 0; i < 2 * READERS; i++)
        ck_assert_int_eq(outcomes[i / READERS][i % READERS], 0);
    ck_assert_int_eq(failures, 0);
    ck_assert_int_eq(missed, 0);
}
END_TEST

START_TEST(blocking_threads_get_all_that_threads_publish_in_order)
{
    uv_thread_t threads[READERS];
    for (int i = 0; i < READERS; i++)
        ck_assert_int_eq(uv_thread_create(&threads[i], blocking_thread, NULL), 0);
    wait_for_readers(READERS);
    publish_from_threads();
    for (int i = 0; i < READERS; i++)
        uv_thread_join(&threads[i]);
    ck_assert_int_eq(failures, 0);
    ck_assert_int_eq(missed, 0);
}
END_TEST

/* Readers come and go while there is publishing, and so do topics. */
static atomic_bool enough;

static void come_and_go(void *arg)
{
    const bool with_loop = arg;
    if (with_loop)
        loop_start();
    for (int i = 0; i < 300; i++) {
        arena mine;
        topic *other;
        const topic_message *m;
        const char name = (char)('a' + i % 2);
        arena_init(&mine, NULL, 0);
        if (topic_open((text){ &name, 1 }, &other) == 0) {
            subscription *s = topic_subscribe(&mine, i % 3 ? t : other, i % 5 ? TOPIC_NEW : 0);
            publish_to(other, 0, "x");
            publish("x");
            (void)subscription_next(s, &m);
            if (with_loop)
                uv_run(loop_here(), UV_RUN_NOWAIT);
            topic_close(other);
        }
        arena_done(&mine);
    }
    if (with_loop) {
        topics_loop_end();
        failures += loop_done() != 0;
    }
}

static void publish_until_enough(void *arg)
{
    (void)arg;
    while (!enough)
        publish("y");
}

START_TEST(readers_and_topics_may_come_and_go_while_others_publish)
{
    uv_thread_t publisher, threads[4];
    ck_assert_int_eq(uv_thread_create(&publisher, publish_until_enough, NULL), 0);
    for (intptr_t i = 0; i < 4; i++)
        ck_assert_int_eq(uv_thread_create(&threads[i], come_and_go, (void *)(i % 2)), 0);
    for (int i = 0; i < 4; i++)
        uv_thread_join(&threads[i]);
    enough = true;
    uv_thread_join(&publisher);
    ck_assert_int_eq(failures, 0);
}
END_TEST

/* A blocking thread's receive, and what ends it. */
static int ended;

static void receive_once(void *arg)
{
    arena mine;
    const topic_message *m;
    (void)arg;
    arena_init(&mine, NULL, 0);
    subscription *s = topic_subscribe(&mine, t, TOPIC_NEW);
    uv_sem_post(&there);
    ended = await(subscription_receive(s, &m));
    arena_done(&mine);
}

START_TEST(stopping_ends_a_blocking_thread)
{
    uv_thread_t thread;
    ck_assert_int_eq(uv_thread_create(&thread, receive_once, NULL), 0);
    wait_for_readers(1);
    topics_stop();
    uv_thread_join(&thread);
    ck_assert_int_eq(ended, UV_EOF);
}
END_TEST

static void receive_until_deadline(void *arg)
{
    blocking_limit(deadline_in(2));
    receive_once(arg);
}

START_TEST(a_blocking_threads_deadline_ends_its_receive)
{
    run_in_thread(receive_until_deadline, NULL);
    ck_assert_int_eq(ended, UV_ETIMEDOUT);
}
END_TEST

static void receive_for_client(void *arg)
{
    blocking_follow(*(int *)arg, 0);
    receive_once(NULL);
}

START_TEST(a_client_that_is_gone_ends_its_threads_receive)
{
    uv_thread_t thread;
    int ends[2];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    ck_assert_int_eq(uv_thread_create(&thread, receive_for_client, &ends[0]), 0);
    wait_for_readers(1);
    close(ends[1]);
    uv_thread_join(&thread);
    ck_assert_int_eq(ended, UV_ECANCELED);
    close(ends[0]);
}
END_TEST

static void publish_to_itself(void *arg)
{
    arena mine;
    const topic_message *m;
    (void)arg;
    arena_init(&mine, NULL, 0);
    subscription *one = topic_subscribe(&mine, t, TOPIC_NEW), *two = topic_subscribe(&mine, t, TOPIC_NEW);
    for (int i = 0; i < 3; i++) {
        publish("a");
        failures += await(subscription_receive(one, &m)) != 0;
        failures += await(subscription_receive(two, &m)) != 0;
        failures += subscription_next(one, &m) != UV_EAGAIN;
    }
    arena_done(&mine);
}

START_TEST(a_blocking_thread_may_publish_to_itself)
{
    run_in_thread(publish_to_itself, NULL);
    ck_assert_int_eq(failures, 0);
}
END_TEST

Suite *subscription_threads_suite(void)
{
    Suite *s = suite_create("subscription_threads");
    TCase *c = tcase_create("all");
    tcase_add_checked_fixture(c, setup_threads, topic_teardown);
    tcase_add_test(c, two_loops_get_all_that_threads_publish_in_order);
    tcase_add_test(c, blocking_threads_get_all_that_threads_publish_in_order);
    tcase_add_test(c, readers_and_topics_may_come_and_go_while_others_publish);
    tcase_add_test(c, stopping_ends_a_blocking_thread);
    tcase_add_test(c, a_blocking_threads_deadline_ends_its_receive);
    tcase_add_test(c, a_client_that_is_gone_ends_its_threads_receive);
    tcase_add_test(c, a_blocking_thread_may_publish_to_itself);
    suite_add_tcase(s, c);
    return s;
}
