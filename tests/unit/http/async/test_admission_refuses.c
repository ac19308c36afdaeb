/* test_admission_refuses.c - requests that need what there is too little of: for how long they wait, and what they are told. */
#include "admission_fixture.h"
#include "server/base/overload/refusal.h"
#include "tests/unit/suites.h"

static uint64_t refused(refusal kind) { return refusal_look(kind).count; }

START_TEST(a_full_line_refuses_and_says_which_limit_that_is)
{
    serve_with_room(0);
    refusal_set_limit(REFUSED_DATABASE_LINE, 1);
    serving_worker()->admission.queues[NEEDS_READS].most = 1;
    const uint64_t before = refused(REFUSED_DATABASE_LINE);
    client a = asking(WORK(1)), b = asking(WORK(2));
    client_until(&b, "\"limit\":\"[database] line\",\"limit_count\":1,");
    ck_assert_int_eq(client_count(&b, "HTTP/1.1 503 "), 1);
    ck_assert_int_eq(client_count(&b, "Content-Type: application/problem+json\r\n"), 1);
    ck_assert_int_eq(client_count(&b, "Retry-After: 1\r\n"), 1);
    ck_assert_uint_eq(refused(REFUSED_DATABASE_LINE), before + 1);
    client_say(&b, GET("/other"));           /* the connection goes on */
    client_until(&b, "other");
    client_close(&a);
    client_close(&b);
    serving_stop();
}
END_TEST

START_TEST(in_a_burst_one_waits_up_to_the_line_timeout)
{
    serve_with_room(0);
    client a = asking(WORK(1));
    there_is_room = 1;                       /* the line is empty for a moment */
    serving_turns();
    client b = asking(WORK(2));
    serving_worker()->admission.queues[NEEDS_READS].codel.target = 0;
    serving_skip(150000);
    client_read(&b, 1000);
    ck_assert_uint_eq(b.length, 0);
    const uint64_t before = refused(REFUSED_DATABASE_TIMEOUT);
    serving_skip(60000);
    client_until(&b, "HTTP/1.1 503 ");
    ck_assert_uint_eq(refused(REFUSED_DATABASE_TIMEOUT), before + 1);
    end_work(0);
    client_until(&a, "[1]");
    client_close(&a);
    client_close(&b);
    serving_stop();
}
END_TEST

START_TEST(while_the_line_stands_nobody_waits_longer_than_the_target)
{
    serve_with_room(0);
    refusal_set_limit(REFUSED_DATABASE_WAIT, 10000);
    client a = asking(WORK(1));
    serving_skip(6000);                      /* by now the line stands */
    client b = asking(WORK(2));
    const uint64_t before = refused(REFUSED_DATABASE_WAIT);
    serving_skip(5000);
    client_until(&a, "\"limit\":\"[database] target\",\"limit_ms\":10000,\"waited_ms\":11");
    client_read(&b, 1000);
    ck_assert_uint_eq(b.length, 0);
    const timer *next = &serving_worker()->admission.queues[NEEDS_READS].timer;
    ck_assert(timer_is_set(next) && next->due <= timer_now() + 5001);        /* else the loop would sleep for longer */
    serving_skip(7000);
    client_until(&b, "\"waited_ms\":12");
    ck_assert_uint_eq(refused(REFUSED_DATABASE_WAIT), before + 2);
    client_close(&a);
    client_close(&b);
    serving_stop();
}
END_TEST

START_TEST(nor_does_who_writes_or_has_sent_more_than_one)
{
    serve_with_room(1);
    client a = asking(WORK(1) WORK(2)), b = asking(POST("/work?n=3", "1", "x"));
    ck_assert_int_eq(begun, 1);
    const uint64_t before = refused(REFUSED_DATABASE_WAIT);
    serving_skip(11000);
    ck_assert_uint_eq(refused(REFUSED_DATABASE_WAIT), before + 2);
    client_until(&b, "\"limit\":\"[database] target\"");
    end_work(0);
    client_until(&a, "HTTP/1.1 503 ");
    ck_assert_int_eq(begun, 1);
    client_close(&a);
    client_close(&b);
    serving_stop();
}
END_TEST

START_TEST(a_line_stands_from_when_somebody_waits)
{
    const uint64_t start = uv_hrtime();
    serve_with_room(0);
    client a = asking(WORK(1)), b = asking(WORK(2));
    const admission *all = &serving_worker()->admission;
    ck_assert_uint_ge(all->queues[NEEDS_READS].codel.empty, start);
    const uint64_t empty = all->queues[NEEDS_READS].codel.empty;
    serving_skip(1000);
    client c = asking(WORK(3));
    ck_assert_uint_eq(all->queues[NEEDS_READS].codel.empty, empty);
    ck_assert(admission_stands(all, NEEDS_READS));
    ck_assert(!admission_stands(all, NEEDS_WRITES));         /* where nobody waits */
    client_close(&a);
    client_close(&b);
    client_close(&c);
    serving_stop();
}
END_TEST

/* Better late than that the resource is idle. */
START_TEST(who_has_waited_too_long_is_served_if_there_is_room_by_then)
{
    serve_with_room(1);
    client a = asking(WORK(1)), b = asking(WORK(2));
    clock_skip(15000);
    end_work(0);
    ck_assert_int_eq(begun, 2);
    end_work(1);
    client_until(&a, "[1]");
    client_until(&b, "[2]");
    client_close(&a);
    client_close(&b);
    serving_stop();
}
END_TEST

START_TEST(while_the_line_stands_what_is_overtaken_is_refused_and_the_latest_waits)
{
    serve_with_room(1);
    client a = asking(WORK(1));
    client keeps[4];
    for (int i = 0; i < 4; i++)              /* so that the line never empties */
        keeps[i] = asking(WORK(9));
    serving_skip(6000);
    client late = asking(WORK(8));
    serving_skip(5000);                      /* those before have waited 11 s, and this one 5 */
    const uint64_t before = refused(REFUSED_DATABASE_AHEAD);
    client b = asking(WORK(2) WORK(3) WORK(4));
    client_until(&b, "HTTP/1.1 503 ");
    client_until(&b, "\"waited_ms\":");
    ck_assert_int_eq(client_count(&b, "HTTP/1.1 503 "), 2);
    ck_assert_uint_eq(refused(REFUSED_DATABASE_AHEAD), before + 2);
    end_work(0);                             /* late begins */
    end_work(1);
    end_work(2);
    client_until(&b, "[4]");
    ck_assert_int_eq(numbers[1], 8);
    ck_assert_int_eq(numbers[2], 4);
    client_close(&a);
    client_close(&b);
    client_close(&late);
    for (int i = 0; i < 4; i++)
        client_close(&keeps[i]);
    serving_stop();
}
END_TEST

START_TEST(who_prefers_a_page_gets_one)
{
    serve_with_room(0);
    serving_worker()->admission.queues[NEEDS_READS].most = 0;
    client c = asking("GET /work HTTP/1.1\r\nHost: a\r\nAccept: text/html\r\n\r\n");
    client_until(&c, "</main>");
    ck_assert_int_eq(client_count(&c, "Content-Type: text/html; charset=utf-8\r\n"), 1);
    ck_assert_int_eq(client_count(&c, "[database] line"), 1);
    client_close(&c);
    serving_stop();
}
END_TEST

START_TEST(a_deadline_ends_the_wait)
{
    serving_config.timeouts.request = 50;
    serve_with_room(0);
    client a = asking(WORK(1));
    serving_skip(52);
    client_until(&a, "HTTP/1.1 504 ");
    ck_assert_int_eq(begun, 0);
    client_close(&a);
    serving_stop();
}
END_TEST

/* Its deadline is looked at twice: by its connection, which has another request under way, and by what lets requests in. */
START_TEST(a_deadline_ends_the_wait_of_one_that_has_no_promise_yet)
{
    client c[3];
    serving_config.timeouts.request = 50;
    serve_with_room(0);
    for (int i = 0; i < 3; i++)
        c[i] = asking(GET("/held") GET("/promised"));
    serving_skip(52);
    for (int i = 0; i < 3; i++) {
        while (client_count(&c[i], "HTTP/1.1 504 ") < 2)
            client_read(&c[i], SIZE_MAX);
        client_close(&c[i]);
    }
    serving_stop();
}
END_TEST

Suite *admission_refuses_suite(void)
{
    Suite *s = suite_create("admission_refuses");
    TCase *t = tcase_create("admission_refuses");
    tcase_add_test(t, a_full_line_refuses_and_says_which_limit_that_is);
    tcase_add_test(t, in_a_burst_one_waits_up_to_the_line_timeout);
    tcase_add_test(t, while_the_line_stands_nobody_waits_longer_than_the_target);
    tcase_add_test(t, nor_does_who_writes_or_has_sent_more_than_one);
    tcase_add_test(t, a_line_stands_from_when_somebody_waits);
    tcase_add_test(t, who_has_waited_too_long_is_served_if_there_is_room_by_then);
    tcase_add_test(t, while_the_line_stands_what_is_overtaken_is_refused_and_the_latest_waits);
    tcase_add_test(t, who_prefers_a_page_gets_one);
    tcase_add_test(t, a_deadline_ends_the_wait);
    tcase_add_test(t, a_deadline_ends_the_wait_of_one_that_has_no_promise_yet);
    suite_add_tcase(s, t);
    return s;
}
