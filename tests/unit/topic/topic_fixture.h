/* topic_fixture.h - a topic, and what is received of it, for the tests of server/topic. */
#ifndef TOPIC_FIXTURE_H
#define TOPIC_FIXTURE_H

#include "server/async/loop.h"
#include "server/async/timer.h"
#include "server/topic/subscription.h"
#include "tests/support/support.h"
#include "tests/unit/suites.h"

#include <stdio.h>

enum { KEEP = 8 };

static topic *t;
static arena  a;

static inline void topic_setup_with(topic_options o)
{
    topics_configure(&o);
    arena_init(&a, NULL, 0);
    ck_assert_int_eq(topic_open(TEXT("news"), &t), 0);
}

static inline void topic_setup(void)
{
    loop_start();
    topic_setup_with((topic_options){ .keep = KEEP, .most = 4, .bytes = 64 * 1024 });
}

/* Nothing is left: no subscription, no topic, no byte. */
static inline void topic_teardown(void)
{
    arena_done(&a);
    topic_close(t);
    topics_done();
    const topics_view v = topics_look();
    ck_assert_uint_eq(v.topics, 0);
    ck_assert_uint_eq(v.subscriptions, 0);
    ck_assert_uint_eq(v.bytes, 0);
    if (!loop_here())
        return;
    topics_loop_end();
    timer_end();
    ck_assert_int_eq(loop_done(), 0);
}

static inline void publish_to(topic *to, int64_t id, const char *bytes)
{
    ck_assert_int_eq(topic_publish(to, id, TEXT("event"), text_of(bytes)), 0);
}

static inline void publish(const char *bytes) { publish_to(t, 0, bytes); }

static inline void publish_numbers(int from, int to)
{
    char number[16];
    for (int i = from; i < to; i++) {
        snprintf(number, sizeof number, "%d", i);
        publish(number);
    }
}

static inline void ck_message(const topic_message *m, const char *bytes)
{
    ck_assert_int_eq(m->bytes.length, strlen(bytes));
    ck_assert_mem_eq(m->bytes.at, bytes, m->bytes.length);
}

/* What comes next without waiting; NULL is nothing. */
static inline void ck_next(subscription *s, const char *bytes)
{
    const topic_message *m;
    const int err = subscription_next(s, &m);
    ck_assert_int_eq(err, bytes ? 0 : UV_EAGAIN);
    if (bytes)
        ck_message(m, bytes);
}

static inline void ck_next_numbers(subscription *s, int from, int to)
{
    char number[16];
    for (int i = from; i < to; i++) {
        snprintf(number, sizeof number, "%d", i);
        ck_next(s, number);
    }
}

/* Turns of the loop, without waiting, until nothing is ready. */
static inline void turn(void)
{
    for (int i = 0; i < 3; i++)
        uv_run(loop_here(), UV_RUN_NOWAIT);
    loop_run_ready();
}

#endif
