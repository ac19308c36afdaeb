/* test_admission.c - requests that need what there is too little of: who begins, and in which order. */
#include "admission_fixture.h"
#include "server/async/task.h"
#include "tests/unit/suites.h"

START_TEST(a_request_begins_at_once_while_there_is_room)
{
    serve_with_room(2);
    client c = asking(WORK(1) WORK(2) WORK(3));
    ck_assert_int_eq(begun, 2);
    end_work(0);
    ck_assert_int_eq(begun, 3);
    end_work(1);
    end_work(2);
    client_until(&c, "[3]");
    ck_assert(strstr(c.got, "[1]") < strstr(c.got, "[2]") && strstr(c.got, "[2]") < strstr(c.got, "[3]"));
    client_close(&c);
    serving_stop();
}
END_TEST

START_TEST(one_that_waits_has_no_task)
{
    serve_with_room(0);
    client a = asking(WORK(1)), b = asking(WORK(2));
    ck_assert_int_eq(begun, 0);
    ck_assert_uint_eq(task_count(), 0);
    there_is_room = 1;
    serving_turns();
    ck_assert_uint_eq(task_count(), 1);
    end_work(0);
    end_work(1);
    client_until(&a, "[1]");
    client_until(&b, "[2]");
    client_close(&a);
    client_close(&b);
    serving_stop();
}
END_TEST

START_TEST(they_begin_in_the_order_in_which_they_came)
{
    client c[5];
    serve_with_room(0);
    const char *const words[] = { WORK(0), WORK(1), WORK(2), WORK(3), WORK(4) };
    for (int i = 0; i < 5; i++)
        c[i] = asking(words[i]);
    there_is_room = 1;
    serving_turns();
    for (int i = 0; i < 5; i++)
        end_work(i);
    for (int i = 0; i < 5; i++) {
        ck_assert_int_eq(numbers[i], i);
        client_close(&c[i]);
    }
    serving_stop();
}
END_TEST

START_TEST(routes_that_need_nothing_do_not_wait)
{
    serve_with_room(0);
    client c = asking(GET("/other")), d = asking(WORK(1));
    client_until(&c, "other");
    client_say(&c, GET("/other"));
    client_until(&c, "other");
    client_close(&c);
    client_close(&d);
    serving_stop();
}
END_TEST

START_TEST(of_one_connection_one_request_waits_and_single_requests_go_first)
{
    client honest[8];
    serve_with_room(0);
    client greedy = asking(WORK(100) WORK(101) WORK(102) WORK(103));
    const char *const words[] = { WORK(0), WORK(1), WORK(2), WORK(3), WORK(4), WORK(5), WORK(6), WORK(7) };
    for (int i = 0; i < 8; i++)
        honest[i] = asking(words[i]);
    ck_assert_int_eq(serving_worker()->admission.queues[NEEDS_READS].waiting, 9);
    there_is_room = 1;
    serving_turns();
    for (int i = 0; i < 12; i++)
        end_work(i);
    const int expected[] = { 0, 1, 2, 3, 100, 4, 5, 6, 7, 101, 102, 103 };
    for (int i = 0; i < 12; i++)
        ck_assert_int_eq(numbers[i], expected[i]);
    client_close(&greedy);
    for (int i = 0; i < 8; i++)
        client_close(&honest[i]);
    serving_stop();
}
END_TEST

START_TEST(who_would_get_json_does_not_wait_for_the_pool)
{
    serve_with_room(10);
    client page = asking("GET /page?n=1 HTTP/1.1\r\nHost: a\r\nAccept: text/html\r\n\r\n");
    client json = asking("GET /page?n=2 HTTP/1.1\r\nHost: a\r\nAccept: application/json\r\n\r\n");
    ck_assert_int_eq(begun, 1);
    ck_assert_int_eq(numbers[0], 2);
    pool_room = 1;
    serving_turns();
    ck_assert_int_eq(begun, 2);
    end_work(0);
    end_work(1);
    client_until(&page, "[1]");
    client_until(&json, "[2]");
    client_close(&page);
    client_close(&json);
    serving_stop();
}
END_TEST

/* Whatever it needs: there may be room for a moment, until the turn serves the line. */
START_TEST(nobody_who_comes_overtakes_those_who_wait)
{
    serve_with_room(0);
    pool_room = 10;
    client json = asking("GET /page?n=1 HTTP/1.1\r\nHost: a\r\nAccept: application/json\r\n\r\n");
    ck_assert_int_eq(serving_worker()->admission.queues[NEEDS_READS].waiting, 1);
    there_is_room = 1;
    ck_assert(!admission_is_open(&serving_worker()->admission, NEEDS_READS));
    ck_assert(!admission_is_open(&serving_worker()->admission, NEEDS_PAGE));
    ck_assert(!admission_is_open(&serving_worker()->admission, NEEDS_WRITES));
    ck_assert(admission_is_open(&serving_worker()->admission, NEEDS_NOTHING));
    client second = asking("GET /page?n=2 HTTP/1.1\r\nHost: a\r\nAccept: application/json\r\n\r\n");
    ck_assert_int_eq(numbers[0], 1);
    end_work(0);
    ck_assert_int_eq(numbers[1], 2);
    end_work(1);
    client_close(&json);
    client_close(&second);
    serving_stop();
}
END_TEST

START_TEST(a_client_that_leaves_leaves_the_line)
{
    serve_with_room(0);
    client a = asking(WORK(1)), b = asking(WORK(2));
    client_close(&a);
    ck_assert_int_eq(serving_worker()->admission.queues[NEEDS_READS].waiting, 2);
    serving_skip(1001);                      /* for so long it might still want its answer */
    ck_assert_int_eq(serving_worker()->admission.queues[NEEDS_READS].waiting, 1);
    there_is_room = 2;
    serving_turns();
    ck_assert_int_eq(begun, 1);
    ck_assert_int_eq(numbers[0], 2);
    end_work(0);
    client_close(&b);
    serving_stop();
}
END_TEST

START_TEST(a_request_with_a_body_waits_with_all_of_it)
{
    serve_with_room(0);
    client a = client_new();
    client_say(&a, "POST /work?n=1 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe");
    ck_assert_int_eq(serving_worker()->admission.queues[NEEDS_WRITES].waiting, 0);
    client_say(&a, "llo" GET("/other"));
    ck_assert_int_eq(serving_worker()->admission.queues[NEEDS_WRITES].waiting, 1);
    there_is_room = 1;
    serving_turns();
    end_work(0);
    client_until(&a, "other");
    ck_assert_int_eq(client_count(&a, "[1]"), 1);
    client_close(&a);
    serving_stop();
}
END_TEST

Suite *admission_suite(void)
{
    Suite *s = suite_create("admission");
    TCase *t = tcase_create("admission");
    tcase_add_test(t, a_request_begins_at_once_while_there_is_room);
    tcase_add_test(t, one_that_waits_has_no_task);
    tcase_add_test(t, they_begin_in_the_order_in_which_they_came);
    tcase_add_test(t, routes_that_need_nothing_do_not_wait);
    tcase_add_test(t, of_one_connection_one_request_waits_and_single_requests_go_first);
    tcase_add_test(t, who_would_get_json_does_not_wait_for_the_pool);
    tcase_add_test(t, nobody_who_comes_overtakes_those_who_wait);
    tcase_add_test(t, a_client_that_leaves_leaves_the_line);
    tcase_add_test(t, a_request_with_a_body_waits_with_all_of_it);
    suite_add_tcase(s, t);
    return s;
}
