/* test_trace.c - what is recorded, in which order, by whom; its bounds; and who outlives whom. */
#include "server/async/combine.h"
#include "server/async/loop.h"
#include "server/async/task.h"
#include "server/async/timing.h"
#include "server/async/trace.h"
#include "tests/unit/suites.h"
#include "tests/support/support.h"

#include <stdio.h>
#include <string.h>

static trace *t;
static fake   f;

static void setup(void)
{
    loop_start();
    t = trace_new("run");
}

static void teardown(void)
{
    trace_free(t);
    track_end(NULL, 0);                      /* the track NULL takes everything */
}

/* All events as one text: "begin 1 of 0 name; await 1 what; wake 1 -125; ...". */
static const char *told(void)
{
    static char all[4096];
    char *at = all, *const end = all + sizeof all;
    const trace_event *e = trace_events(t);
    uint32_t last = 0;

    all[0] = '\0';
    for (int i = 0; i < trace_count(t); i++, e++) {
        ck_assert_uint_ge(e->at, last);
        last = e->at;
        switch (e->kind) {
        case TRACE_BEGIN: at += snprintf(at, (size_t)(end - at), "begin %d of %d %s; ", e->track, e->other, e->name); break;
        case TRACE_END:   at += snprintf(at, (size_t)(end - at), "end %d %d; ", e->track, e->value); break;
        case TRACE_AWAIT: at += snprintf(at, (size_t)(end - at), "await %d %s; ", e->track, e->name ? e->name : "-"); break;
        case TRACE_WAKE:  at += snprintf(at, (size_t)(end - at), "wake %d %d; ", e->track, e->value); break;
        case TRACE_MARK:  at += snprintf(at, (size_t)(end - at), "mark %d %s; ", e->track, e->name); break;
        case TRACE_VALUE: at += snprintf(at, (size_t)(end - at), "%s %d; ", e->name, e->value); break;
        }
        ck_assert(at < end);
    }
    return all;
}

static void run_recorded(int (*fn)(void *), void *arg, int expected)
{
    track *before = track_enter(trace_root(t));
    promise *p = task_start("first", fn, arg);
    track_enter(before);
    ck_assert_int_eq(outcome_of(p), expected);
    trace_stop(t);
}

static int sleeper(void *arg)
{
    (void)arg;
    return await(sleep_for(0));
}

static int parent(void *arg)
{
    (void)arg;
    track_mark(track_here, "now");
    return await(task_start("second", sleeper, NULL));
}

START_TEST(a_task_and_those_that_it_starts_are_recorded)
{
    run_recorded(parent, NULL, 0);
    ck_assert_ptr_null(track_here);          /* what runs from now on is no part of it */
    ck_assert_str_eq(told(), "begin 0 of 0 run; begin 1 of 0 first; wake 1 0; mark 1 now; begin 2 of 1 second; "
                             "await 1 -; wake 2 0; await 2 -; wake 2 0; end 2 0; wake 1 0; end 1 0; end 0 0; ");
}
END_TEST

START_TEST(tasks_are_told_from_other_work)
{
    track_end(track_begin(trace_root(t), "work"), 0);
    run_recorded(sleeper, NULL, 0);
    ck_assert_int_eq(trace_events(t)[1].value, 0);
    ck_assert_str_eq(trace_events(t)[3].name, "first");
    ck_assert_int_eq(trace_events(t)[3].value, 1);
}
END_TEST

START_TEST(others_are_not)
{
    ck_assert_int_eq(outcome_of(task_start("other", parent, NULL)), 0);
    trace_stop(t);
    ck_assert_str_eq(told(), "begin 0 of 0 run; end 0 0; ");
    ck_assert_ptr_null(track_here);
}
END_TEST

static int marking(void *arg)
{
    (void)arg;
    track_mark_at(track_here, "here", 7);
    track_mark(track_here, "anywhere");
    track_took(track_here, "a request", INT64_MAX);
    track_end(track_begin_at(track_here, "work", 9), 0);
    return 0;
}

START_TEST(what_is_marked_or_begins_may_say_its_line_and_what_took_long_says_how_long)
{
    run_recorded(marking, NULL, 0);
    const trace_event *e = trace_events(t) + 3;
    ck_assert(e[0].kind == TRACE_MARK && e[0].line == 7);
    ck_assert(e[1].kind == TRACE_MARK && e[1].line == 0);
    ck_assert(e[2].kind == TRACE_TOOK && e[2].value == INT32_MAX);
    ck_assert_str_eq(e[2].name, "a request");
    ck_assert(e[3].kind == TRACE_BEGIN && e[3].line == 9);
}
END_TEST

static int expecting(void *arg)
{
    (void)arg;
    track_expects("sleep_for(0)", 42);
    await(sleep_for(0));
    return await(promise_settled(UV_EIO));
}

START_TEST(an_await_says_what_for_and_in_which_line_and_with_what_it_woke)
{
    run_recorded(expecting, NULL, UV_EIO);
    const trace_event *e = trace_events(t);
    ck_assert_int_eq(e[3].kind, TRACE_AWAIT);
    ck_assert_str_eq(e[3].name, "sleep_for(0)");
    ck_assert_int_eq(e[3].line, 42);
    ck_assert_int_eq(e[5].kind, TRACE_AWAIT);
    ck_assert_ptr_null(e[5].name);           /* it was for the one await only */
    ck_assert_int_eq(e[6].value, UV_EIO);
    ck_assert_int_eq(e[7].kind, TRACE_END);
    ck_assert_int_eq(e[7].value, UV_EIO);
}
END_TEST

static int yielding(void *arg)
{
    (void)arg;
    return task_yield();
}

START_TEST(a_yield_is_a_wait_too)
{
    run_recorded(yielding, NULL, 0);
    ck_assert_str_eq(told(), "begin 0 of 0 run; begin 1 of 0 first; wake 1 0; await 1 task_yield(); wake 1 0; "
                             "end 1 0; end 0 0; ");
}
END_TEST

START_TEST(a_cancelled_task_wakes_and_ends_so)
{
    track_enter(trace_root(t));
    promise *p = task_start("first", sleeper, NULL);
    track_enter(NULL);
    promise_cancel(p);
    ck_assert_int_eq(outcome_of(p), UV_ECANCELED);
    trace_stop(t);
    ck_assert_str_eq(told(), "begin 0 of 0 run; begin 1 of 0 first; wake 1 0; await 1 -; wake 1 -125; "
                             "end 1 -125; end 0 0; ");
}
END_TEST

START_TEST(a_track_ends_as_the_promise_that_it_follows_settles)
{
    int err = 1;
    when_settled(track_follows(track_begin(trace_root(t), "work"), fake_new(&f, UV_ECANCELED)), store, &err);
    track_mark(trace_root(t), "now");
    loop_run();
    ck_assert_int_eq(err, 1);
    promise_settle(f.promise, UV_EIO);
    loop_run();
    ck_assert_int_eq(err, UV_EIO);
    trace_stop(t);
    ck_assert_str_eq(told(), "begin 0 of 0 run; begin 1 of 0 work; mark 0 now; end 1 -5; end 0 0; ");
}
END_TEST

START_TEST(cancelling_a_followed_promise_reaches_the_work)
{
    int err = 1;
    promise *p = track_follows(track_begin(trace_root(t), "work"), fake_new(&f, UV_ECANCELED));
    when_settled(p, store, &err);
    promise_cancel(p);
    loop_run();
    ck_assert_int_eq(f.cancels, 1);
    ck_assert_int_eq(err, UV_ECANCELED);
    trace_stop(t);
}
END_TEST

START_TEST(what_has_settled_already_is_followed_at_once)
{
    int err;
    ck_assert(promise_take_if_settled(track_follows(track_begin(trace_root(t), "work"), promise_settled(0)), &err));
    trace_stop(t);
    ck_assert_str_eq(told(), "begin 0 of 0 run; begin 1 of 0 work; end 1 0; end 0 0; ");
}
END_TEST

START_TEST(values_are_kept_in_order_and_within_their_range)
{
    track_value(trace_root(t), "queue", 3);
    track_value(trace_root(t), "queue", INT64_MAX);
    track_value(trace_root(t), "queue", INT64_MIN);
    trace_stop(t);
    ck_assert_str_eq(told(), "begin 0 of 0 run; queue 3; queue 2147483647; queue -2147483648; end 0 0; ");
}
END_TEST

START_TEST(a_full_trace_counts_what_it_drops_but_ends_what_has_begun)
{
    track *k = track_begin(trace_root(t), "work");
    track_awaits(k);
    for (int i = 0; i < TRACE_EVENTS; i++)
        track_mark(k, "again");
    ck_assert_ptr_null(track_begin(k, "no room"));
    track_wakes(k, UV_EIO);
    track_awaits(k);                         /* neither this wait nor its end has room */
    track_wakes(k, 0);
    track_end(k, UV_EIO);
    trace_stop(t);
    ck_assert_int_eq(trace_count(t), TRACE_EVENTS);
    ck_assert_int_eq(trace_dropped(t), 6 + 2 + 2);
    const trace_event *last = &trace_events(t)[TRACE_EVENTS - 3];
    ck_assert_int_eq(last[0].kind, TRACE_WAKE);
    ck_assert_int_eq(last[1].kind, TRACE_END);
    ck_assert_int_eq(last[2].kind, TRACE_END);
}
END_TEST

START_TEST(all_of_a_trace_can_be_filled_with_waits)
{
    track *k = track_begin(trace_root(t), "work");
    for (int i = 0; i < (TRACE_EVENTS - 4) / 2; i++) {       /* the others are two tracks */
        track_awaits(k);
        track_wakes(k, 0);
    }
    track_end(k, 0);
    trace_stop(t);
    ck_assert_int_eq(trace_dropped(t), 0);
    ck_assert_int_eq(trace_count(t), TRACE_EVENTS);
}
END_TEST

START_TEST(there_are_only_so_many_tracks)
{
    static track *all[TRACE_TRACKS];
    for (int i = 0; i < TRACE_TRACKS - 1; i++)
        ck_assert_ptr_nonnull(all[i] = track_begin(trace_root(t), "one"));
    ck_assert_ptr_null(track_begin(trace_root(t), "one more"));
    for (int i = 0; i < TRACE_TRACKS - 1; i++)
        track_end(all[i], 0);
    trace_stop(t);
    ck_assert_int_eq(trace_count(t), 2 * TRACE_TRACKS);
    ck_assert_int_eq(trace_dropped(t), 2);
}
END_TEST

START_TEST(a_stopped_trace_changes_no_more_and_open_tracks_may_outlive_it)
{
    trace *early = trace_new("early");
    track *k = track_begin(trace_root(early), "late");
    track_awaits(k);
    ck_assert_int_eq(trace_open(early), 2);
    trace_stop(early);
    track_mark(k, "after");
    ck_assert_ptr_null(track_begin(k, "after"));
    ck_assert_int_eq(trace_count(early), 4);
    ck_assert_int_eq(trace_dropped(early), 0);
    trace_free(early);
    track_wakes(k, 0);
    track_end(k, 0);                         /* the last one: the sanitizers see whether it is freed */
    trace_stop(t);
}
END_TEST

static void elsewhere(void *arg)
{
    for (int i = 0; i < 500; i++) {
        track *k = track_begin(arg, "job");
        track_mark(k, "there");
        track_end(k, 0);
    }
}

START_TEST(several_threads_write_to_one_trace)
{
    uv_thread_t threads[2];
    for (int i = 0; i < 2; i++)
        uv_thread_create(&threads[i], elsewhere, trace_root(t));
    for (int i = 0; i < 2; i++)
        uv_thread_join(&threads[i]);
    trace_stop(t);
    ck_assert_int_eq(trace_count(t), 2 + 3 * 1000);
    uint32_t last = 0;
    for (int i = 0; i < trace_count(t); i++) {
        ck_assert_uint_ge(trace_events(t)[i].at, last);
        last = trace_events(t)[i].at;
    }
}
END_TEST

static void in_plain_thread(void *arg)
{
    (void)arg;
    track_enter(track_begin(trace_root(t), "thread"));
    track_expects("sleep_for(1)", 7);
    track_mark(track_here, "blocked");       /* what happens while it blocks comes after the beginning of the wait */
    await(sleep_for(1));
    track_end(track_enter(NULL), 0);
}

START_TEST(in_a_plain_thread_a_wait_begins_before_the_work_does)
{
    run_in_thread(in_plain_thread, NULL);
    trace_stop(t);
    ck_assert_str_eq(told(), "begin 0 of 0 run; begin 1 of 0 thread; await 1 sleep_for(1); mark 1 blocked; "
                             "wake 1 0; end 1 0; end 0 0; ");
    ck_assert_uint_ge(trace_events(t)[4].at - trace_events(t)[2].at, 1000);
}
END_TEST

Suite *trace_suite(void)
{
    Suite *s = suite_create("trace");
    TCase *c = tcase_create("all");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, a_task_and_those_that_it_starts_are_recorded);
    tcase_add_test(c, tasks_are_told_from_other_work);
    tcase_add_test(c, others_are_not);
    tcase_add_test(c, an_await_says_what_for_and_in_which_line_and_with_what_it_woke);
    tcase_add_test(c, what_is_marked_or_begins_may_say_its_line_and_what_took_long_says_how_long);
    tcase_add_test(c, a_yield_is_a_wait_too);
    tcase_add_test(c, a_cancelled_task_wakes_and_ends_so);
    tcase_add_test(c, a_track_ends_as_the_promise_that_it_follows_settles);
    tcase_add_test(c, cancelling_a_followed_promise_reaches_the_work);
    tcase_add_test(c, what_has_settled_already_is_followed_at_once);
    tcase_add_test(c, values_are_kept_in_order_and_within_their_range);
    tcase_add_test(c, a_full_trace_counts_what_it_drops_but_ends_what_has_begun);
    tcase_add_test(c, all_of_a_trace_can_be_filled_with_waits);
    tcase_add_test(c, there_are_only_so_many_tracks);
    tcase_add_test(c, a_stopped_trace_changes_no_more_and_open_tracks_may_outlive_it);
    tcase_add_test(c, several_threads_write_to_one_trace);
    tcase_add_test(c, in_a_plain_thread_a_wait_begins_before_the_work_does);
    suite_add_tcase(s, c);
    return s;
}
