/* test_admission.c - requests that need what there is too little of: who begins, who waits, who is refused. */
#include "connection_fixture.h"
#include "server/async/task.h"
#include "server/async/timing.h"
#include "server/http/request.h"
#include "server/base/refusal.h"
#include "tests/unit/http/serving.h"
#include "tests/unit/suites.h"
#include "tests/support/support.h"

enum { MOST = 64 };

static int      there_is_room, pool_room;    /* for so many more; of what renders pages, too */
static promise *inside[MOST];                /* what each that has begun waits for */
static int      numbers[MOST], count;        /* in the order in which they began */
static fake     fakes[MOST];

static int room(void *arg, need n)
{
    ck_assert_int_ne(n, NEEDS_NOTHING);
    return n == NEEDS_PAGE && pool_room < *(int *)arg ? pool_room : *(int *)arg;
}

/* It takes its part of the room until its promise is settled by the test. */
static int work(request *req)
{
    int64_t number = 0;
    request_query_int(req, "n", &number);
    const int i = count++;
    numbers[i] = (int)number;
    there_is_room--;
    const int err = await(inside[i] = fake_new(&fakes[i], UV_ECANCELED));
    inside[i] = NULL;
    there_is_room++;
    char *said = arena_printf(request_arena(req), "[%d]", (int)number);
    return err ? err : respond(req, 200, "text/plain", text_of(said));
}

static int other(request *req) { return respond(req, 200, "text/plain", TEXT("other")); }

static const route ROUTES_HERE[] = {
    { "GET", "/page", .await = work, .needs = NEEDS_PAGE },
    { "GET", "/work", .await = work, .needs = NEEDS_READS }, { "POST", "/work", .await = work, .needs = NEEDS_WRITES },
    { "GET", "/other", .await = other },
};

#define WORK(n) GET("/work?n=" #n)

static void begin(int free)
{
    there_is_room = free;
    count = 0;
    serving_config.database.line = 100;
    serving_config.database.target = 10000;  /* leaps of the clock are of seconds, so that a slow machine's own time */
    serving_config.database.line_timeout = 200000;           /* does not count */
    if (serving_config.timeouts.request == 30000)
        serving_config.timeouts.request = 0;
    serving_start(ROUTES_HERE, sizeof ROUTES_HERE / sizeof *ROUTES_HERE);
    serving_worker()->admission.room = room;
    serving_worker()->admission.arg = &there_is_room;
}

static void end_work(int i)
{
    promise_settle(inside[i], 0);
    serving_turns();
}

static uint64_t refused(refusal kind) { return refusal_look(kind).count; }

static client asking(const char *words)
{
    client c = client_new();
    client_say(&c, words);
    return c;
}

START_TEST(a_request_begins_at_once_while_there_is_room)
{
    begin(2);
    client c = asking(WORK(1) WORK(2) WORK(3));
    ck_assert_int_eq(count, 2);
    end_work(0);
    ck_assert_int_eq(count, 3);
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
    begin(0);
    client a = asking(WORK(1)), b = asking(WORK(2));
    ck_assert_int_eq(count, 0);
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
    begin(0);
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
    begin(0);
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
    begin(0);
    client greedy = asking(WORK(100) WORK(101) WORK(102) WORK(103));
    const char *const words[] = { WORK(0), WORK(1), WORK(2), WORK(3), WORK(4), WORK(5), WORK(6), WORK(7) };
    for (int i = 0; i < 8; i++)
        honest[i] = asking(words[i]);
    ck_assert_int_eq(serving_worker()->admission.lines[NEEDS_READS].waiting, 9);
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

START_TEST(a_full_line_refuses_and_says_which_limit_that_is)
{
    begin(0);
    refusal_set_limit(REFUSED_DATABASE_LINE, 1);
    serving_worker()->admission.lines[NEEDS_READS].most = 1;
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
    begin(0);
    client a = asking(WORK(1));
    there_is_room = 1;                       /* the line is empty for a moment */
    serving_turns();
    client b = asking(WORK(2));
    serving_worker()->admission.lines[NEEDS_READS].codel.target = 0;
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
    begin(0);
    refusal_set_limit(REFUSED_DATABASE_WAIT, 10000);
    client a = asking(WORK(1));
    serving_skip(6000);                      /* by now the line stands */
    client b = asking(WORK(2));
    const uint64_t before = refused(REFUSED_DATABASE_WAIT);
    serving_skip(5000);
    client_until(&a, "\"limit\":\"[database] target\",\"limit_ms\":10000,\"waited_ms\":11");
    client_read(&b, 1000);
    ck_assert_uint_eq(b.length, 0);
    ck_assert(timer_is_set(&serving_worker()->admission.lines[NEEDS_READS].timer));      /* else the loop would sleep */
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
    begin(1);
    client a = asking(WORK(1) WORK(2)), b = asking(POST("/work?n=3", "1", "x"));
    ck_assert_int_eq(count, 1);
    const uint64_t before = refused(REFUSED_DATABASE_WAIT);
    serving_skip(11000);
    ck_assert_uint_eq(refused(REFUSED_DATABASE_WAIT), before + 2);
    client_until(&b, "\"limit\":\"[database] target\"");
    end_work(0);
    client_until(&a, "HTTP/1.1 503 ");
    ck_assert_int_eq(count, 1);
    client_close(&a);
    client_close(&b);
    serving_stop();
}
END_TEST

START_TEST(a_line_stands_from_when_somebody_waits)
{
    const uint64_t start = uv_hrtime();
    begin(0);
    client a = asking(WORK(1)), b = asking(WORK(2));
    const admission *all = &serving_worker()->admission;
    ck_assert_uint_ge(all->lines[NEEDS_READS].codel.empty, start);
    const uint64_t empty = all->lines[NEEDS_READS].codel.empty;
    serving_skip(1000);
    client c = asking(WORK(3));
    ck_assert_uint_eq(all->lines[NEEDS_READS].codel.empty, empty);
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
    begin(1);
    client a = asking(WORK(1)), b = asking(WORK(2));
    clock_skip(15000);
    end_work(0);
    ck_assert_int_eq(count, 2);
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
    begin(1);
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
    begin(0);
    serving_worker()->admission.lines[NEEDS_READS].most = 0;
    client c = asking("GET /work HTTP/1.1\r\nHost: a\r\nAccept: text/html\r\n\r\n");
    client_until(&c, "</main>");
    ck_assert_int_eq(client_count(&c, "Content-Type: text/html; charset=utf-8\r\n"), 1);
    ck_assert_int_eq(client_count(&c, "[database] line"), 1);
    client_close(&c);
    serving_stop();
}
END_TEST

START_TEST(who_would_get_json_does_not_wait_for_the_pool)
{
    begin(10);
    client page = asking("GET /page?n=1 HTTP/1.1\r\nHost: a\r\nAccept: text/html\r\n\r\n");
    client json = asking("GET /page?n=2 HTTP/1.1\r\nHost: a\r\nAccept: application/json\r\n\r\n");
    ck_assert_int_eq(count, 1);
    ck_assert_int_eq(numbers[0], 2);
    pool_room = 1;
    serving_turns();
    ck_assert_int_eq(count, 2);
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
    begin(0);
    pool_room = 10;
    client json = asking("GET /page?n=1 HTTP/1.1\r\nHost: a\r\nAccept: application/json\r\n\r\n");
    ck_assert_int_eq(serving_worker()->admission.lines[NEEDS_READS].waiting, 1);
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
    begin(0);
    client a = asking(WORK(1)), b = asking(WORK(2));
    client_close(&a);
    ck_assert_int_eq(serving_worker()->admission.lines[NEEDS_READS].waiting, 2);
    serving_skip(1001);                      /* for so long it might still want its answer */
    ck_assert_int_eq(serving_worker()->admission.lines[NEEDS_READS].waiting, 1);
    there_is_room = 2;
    serving_turns();
    ck_assert_int_eq(count, 1);
    ck_assert_int_eq(numbers[0], 2);
    end_work(0);
    client_close(&b);
    serving_stop();
}
END_TEST

START_TEST(a_deadline_ends_the_wait)
{
    serving_config.timeouts.request = 50;
    begin(0);
    client a = asking(WORK(1));
    serving_skip(52);
    client_until(&a, "HTTP/1.1 504 ");
    ck_assert_int_eq(count, 0);
    client_close(&a);
    serving_stop();
}
END_TEST

START_TEST(a_request_with_a_body_waits_with_all_of_it)
{
    begin(0);
    client a = client_new();
    client_say(&a, "POST /work?n=1 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe");
    ck_assert_int_eq(serving_worker()->admission.lines[NEEDS_WRITES].waiting, 0);
    client_say(&a, "llo" GET("/other"));
    ck_assert_int_eq(serving_worker()->admission.lines[NEEDS_WRITES].waiting, 1);
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
    tcase_add_test(t, a_full_line_refuses_and_says_which_limit_that_is);
    tcase_add_test(t, in_a_burst_one_waits_up_to_the_line_timeout);
    tcase_add_test(t, while_the_line_stands_nobody_waits_longer_than_the_target);
    tcase_add_test(t, nor_does_who_writes_or_has_sent_more_than_one);
    tcase_add_test(t, a_line_stands_from_when_somebody_waits);
    tcase_add_test(t, who_has_waited_too_long_is_served_if_there_is_room_by_then);
    tcase_add_test(t, while_the_line_stands_what_is_overtaken_is_refused_and_the_latest_waits);
    tcase_add_test(t, who_prefers_a_page_gets_one);
    tcase_add_test(t, who_would_get_json_does_not_wait_for_the_pool);
    tcase_add_test(t, nobody_who_comes_overtakes_those_who_wait);
    tcase_add_test(t, a_client_that_leaves_leaves_the_line);
    tcase_add_test(t, a_deadline_ends_the_wait);
    tcase_add_test(t, a_request_with_a_body_waits_with_all_of_it);
    suite_add_tcase(s, t);
    return s;
}
