/* test_generator.c - the load of a comparison: whom it asks, what it counts, and that it ends. */
#include "handlers/compare/generator.h"
#include "server/base/list.h"
#include "server/http/request.h"
#include "tests/unit/http/whole_server.h"
#include "tests/unit/suites.h"

#include <check.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <uv.h>

enum { PATIENCE = 20 };                      /* seconds */

static atomic_int asked, numbers;            /* numbers: the sum of those that came in the path */
static char       address[64];

static int answers(request *req)
{
    atomic_fetch_add(&asked, 1);
    return respond(req, 200, "text/plain", TEXT("yes"));
}

static int answers_number(request *req)
{
    int64_t n = 0;
    atomic_fetch_add(&asked, 1);
    if (request_param_int(req, "n", &n) || n < 1 || n > 3)
        return respond(req, 400, "text/plain", TEXT("no"));
    atomic_fetch_or(&numbers, 1 << n);
    return respond(req, 200, "text/plain", TEXT("yes"));
}

static int refuses(request *req) { atomic_fetch_add(&asked, 1); return respond(req, 503, "text/plain", TEXT("no room")); }

static const route ROUTES_ASKED[] = {
    { "GET", "/yes", .answer = answers },
    { "GET", "/number/:n", .answer = answers_number },
    { "GET", "/no", .answer = refuses },
};

static const generated YES[] = { { "/yes", 0, 0 } }, NUMBERS[] = { { "/number/%d", 0, 3 }, { "/yes", 0, 0 } },
                       NO[] = { { "/no", 0, 0 } }, NOWHERE[] = { { "/nowhere", 0, 0 } };

static generator *begin(int connections, int kinds, const generated *requests)
{
    generator *g;
    snprintf(address, sizeof address, "http://127.0.0.1:%d", whole_server_port());
    ck_assert_int_eq(generator_start(&g, &(generator_options){ address, connections, kinds, requests }), 0);
    return g;
}

/* Looks until it holds. */
#define until(g, v, condition) do {                                                 \
    const uint64_t end_ = uv_hrtime() + PATIENCE * (uint64_t)1000000000;            \
    do {                                                                            \
        nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);                  \
        generator_look(g, &(v));                                                    \
        ck_assert_msg(uv_hrtime() < end_, "it has not come: %s", #condition);       \
    } while (!(condition));                                                         \
    generator_look(g, &(v));                                                        \
} while (0)

static void serve(mode mode)
{
    whole_server_start(mode, ROUTES_ASKED, sizeof ROUTES_ASKED / sizeof ROUTES_ASKED[0], (const char *[]){ NULL });
}

START_TEST(each_connection_asks_again_when_it_has_its_answer)
{
    generator_view v;
    serve(_i ? MODE_THREADS : MODE_ASYNC);
    generator *g = begin(20, 1, YES);
    until(g, v, generator_is_open(g));
    ck_assert_int_eq(v.open, 20);
    generator_measure(g);
    until(g, v, v.answers >= 200);
    ck_assert_int_eq(v.refused + v.failed + (uint64_t)v.turned_away, 0);
    ck_assert_int_le(v.held, 20);
    ck_assert_uint_gt(v.cpu, 0);
    ck_assert_uint_gt(latencies_percentile(&v.latencies, 50), 0);
    generator_stop(g, &v);
    ck_assert_uint_ge(v.latencies.count + 20, v.answers);    /* but for those that were on their way */
    ck_assert_int_eq(v.open, 0);
    ck_assert_int_eq(v.held, 0);
    whole_server_stop();
}
END_TEST

START_TEST(requests_come_in_turn_and_each_number_up_to_the_most)
{
    generator_view v;
    serve(MODE_ASYNC);
    generator *g = begin(2, 2, NUMBERS);
    generator_measure(g);
    until(g, v, v.answers >= 100);
    ck_assert_int_eq(v.failed, 0);
    ck_assert_int_eq(atomic_load(&numbers), 1 << 1 | 1 << 2 | 1 << 3);
    generator_stop(g, &v);
    whole_server_stop();
}
END_TEST

START_TEST(a_503_is_refused_and_asked_again_after_a_pause)
{
    generator_view v;
    serve(MODE_ASYNC);
    generator *g = begin(3, 1, NO);
    until(g, v, generator_is_open(g));
    generator_measure(g);
    const int before = atomic_load(&asked);
    until(g, v, v.refused >= 3);
    const int times = atomic_load(&asked) - before;
    generator_look(g, &v);
    ck_assert_uint_eq(v.answers, 0);
    ck_assert_uint_eq(v.latencies.count, 0);
    ck_assert_int_le(times, 3 * (int)(v.ns / 200000000 + 2));            /* not more often than every 200 ms */
    generator_stop(g, &v);
    whole_server_stop();
}
END_TEST

START_TEST(any_other_status_has_failed)
{
    generator_view v;
    serve(MODE_ASYNC);
    generator *g = begin(1, 1, NOWHERE);
    generator_measure(g);
    until(g, v, v.failed >= 1);
    ck_assert_uint_eq(v.answers + v.refused, 0);
    generator_stop(g, &v);
    whole_server_stop();
}
END_TEST

START_TEST(where_nobody_listens_all_are_turned_away)
{
    generator_view v;
    serve(MODE_ASYNC);
    snprintf(address, sizeof address, "http://127.0.0.1:%d", whole_server_port());
    whole_server_stop();
    generator *g;
    ck_assert_int_eq(generator_start(&g, &(generator_options){ address, 5, 1, YES }), 0);
    until(g, v, v.turned_away == 5);
    ck_assert(generator_is_open(g));         /* as far as it can be */
    generator_stop(g, &v);
}
END_TEST

START_TEST(it_asks_nobody_but_this_machine)
{
    static const char *const OTHERS[] = {
        "http://192.0.2.1:80", "http://example.org:80", "https://127.0.0.1:80", "127.0.0.1:80", "",
    };
    generator *g;
    for (size_t i = 0; i < sizeof OTHERS / sizeof OTHERS[0]; i++)
        ck_assert_int_eq(generator_start(&g, &(generator_options){ OTHERS[i], 1, 1, YES }), UV_EINVAL);
}
END_TEST

Suite *generator_suite(void)
{
    Suite *s = suite_create("generator");
    TCase *t = tcase_create("all");
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, each_connection_asks_again_when_it_has_its_answer, 0, 2);
    tcase_add_test(t, requests_come_in_turn_and_each_number_up_to_the_most);
    tcase_add_test(t, a_503_is_refused_and_asked_again_after_a_pause);
    tcase_add_test(t, any_other_status_has_failed);
    tcase_add_test(t, where_nobody_listens_all_are_turned_away);
    tcase_add_test(t, it_asks_nobody_but_this_machine);
    suite_add_tcase(s, t);
    return s;
}
