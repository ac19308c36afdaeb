/* phases.c - the order that the page of phases states: every run has it. */
#include "tests/scenarios/scenarios.h"

#include "tests/scenarios/support/recorded.h"

/* What is marked, and on the line of which phase; all but the timer of 1 ms, which may be in any turn. */
static const char *const ORDER[][2] = {
    { "this function", "this function returns" },
    { "ticks", "next_tick" },
    { "microtasks", "queue_microtask" },
    { "ticks", "next_tick, of that" },
    { "check", "set_immediate" },
    { "close", "uv_close has closed" },
    { "timers", "uv_timer of 0 ms" },
    { "ticks", "next_tick, of the timer" },
    { "microtasks", "queue_microtask, of the timer" },
    { "pending", "uv_write has written" },
    { "idle", "uv_idle" },
    { "prepare", "uv_prepare" },
    { "poll", "uv_read: it can be read" },
    { "check", "set_immediate, of the first one" },
};
enum { MARKS = sizeof ORDER / sizeof ORDER[0], RUNS = 50 };

static void expect_order(const json_t *run)
{
    const char *lines[MOST_TRACKS] = { 0 };
    size_t i;
    json_t *e;
    int next = 0, timers = 0;

    json_array_foreach(json_object_get(run, "events"), i, e) {
        const int64_t track = number_of(e, "track");
        const char *name = json_string_value(json_object_get(e, "name"));
        if (is(e, "kind", "begin"))
            lines[track] = name;
        if (!is(e, "kind", "mark"))
            continue;
        if (is(e, "name", "set_timeout of 1 ms")) {
            ck_assert_str_eq(lines[track], "timers");
            ck_assert_msg(next > 4, "a timer before the first turn has ended");
            timers++;
            continue;
        }
        ck_assert_msg(next < MARKS, "%s is one too many", name);
        ck_assert_msg(is(e, "name", ORDER[next][1]), "%s comes where %s should", name, ORDER[next][1]);
        ck_assert_str_eq(lines[track], ORDER[next][0]);
        next++;
    }
    ck_assert_int_eq(next, MARKS);
    ck_assert_int_eq(timers, 1);
    ck_assert_int_eq(number_of(run, "outcome"), 0);
}

START_TEST(phases_come_in_their_order_in_every_run)
{
    for (int i = 0; i < RUNS; i++) {
        json_t *run = run_of("phases");
        ck_assert_int_eq(run == NULL, in_threads_mode());
        if (!run)
            return;
        expect_order(run);
        json_decref(run);
    }
}
END_TEST

/* While the same loop has others to serve, and turns of every length. */
START_TEST(and_while_others_are_served)
{
    client *others[4];
    if (in_threads_mode())
        return;
    for (int i = 0; i < 4; i++)
        others[i] = client_asking(i % 2 ? "/patterns/back-pressure?run=1" : "/patterns/threads?run=1");
    for (int i = 0; i < 10; i++) {
        json_t *run = run_of("phases");
        expect_order(run);
        json_decref(run);
    }
    for (int i = 0; i < 4; i++)
        client_reset(others[i]);
}
END_TEST

Suite *phases_suite(void)
{
    Suite *s = suite_create("phases");
    TCase *t = recorded_theme(s, false);
    tcase_add_test(t, phases_come_in_their_order_in_every_run);
    tcase_add_test(t, and_while_others_are_served);
    return s;
}
