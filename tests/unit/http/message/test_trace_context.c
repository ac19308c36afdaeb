/* test_trace_context.c - traceparent and tracestate, as W3C Trace Context has them. */
#include "server/http/message/trace_context.h"
#include "tests/unit/suites.h"

#include <string.h>

#define TRACE  "0af7651916cd43dd8448eb211c80319c"
#define PARENT "b7ad6b7169203331"

START_TEST(a_well_formed_traceparent_is_read)
{
    trace_context t;
    ck_assert(trace_context_read(&t, TEXT("00-" TRACE "-" PARENT "-01")));
    ck_assert_mem_eq(t.trace, TRACE, TRACE_ID);
    ck_assert_mem_eq(t.parent, PARENT, SPAN_ID);
    ck_assert(t.sampled);
    ck_assert(trace_has_parent(&t));
}
END_TEST

START_TEST(the_last_bit_of_the_flags_is_sampled_and_the_others_are_not_looked_at)
{
    static const struct { const char *flags; bool sampled; } EACH[] = {
        { "00", false }, { "01", true }, { "02", false }, { "03", true }, { "fe", false }, { "ff", true }, { "a9", true },
    };
    char p[] = "00-" TRACE "-" PARENT "-..";
    for (size_t i = 0; i < sizeof EACH / sizeof EACH[0]; i++) {
        trace_context t;
        memcpy(p + 53, EACH[i].flags, 2);
        ck_assert(trace_context_read(&t, text_of(p)));
        ck_assert_msg(t.sampled == EACH[i].sampled, "%s", p);
    }
}
END_TEST

START_TEST(of_a_later_version_what_this_one_has_is_taken)
{
    trace_context t;
    ck_assert(trace_context_read(&t, TEXT("01-" TRACE "-" PARENT "-01")));
    ck_assert(trace_context_read(&t, TEXT("cc-" TRACE "-" PARENT "-01-what-comes-then")));
    ck_assert(!trace_context_read(&t, TEXT("cc-" TRACE "-" PARENT "-01.what-comes-then")));
}
END_TEST

START_TEST(what_is_not_well_formed_is_refused)
{
    static const char *const BAD[] = {
        "", "00", "00-" TRACE "-" PARENT, "00-" TRACE "-" PARENT "-0", "00-" TRACE "-" PARENT "-01-",
        "00-" TRACE "-" PARENT "-01 ",
        "ff-" TRACE "-" PARENT "-01", "0G-" TRACE "-" PARENT "-01", "00_" TRACE "-" PARENT "-01", "00-" TRACE "_" PARENT "-01",
        "00-" TRACE "-" PARENT "_01", "00-" TRACE "-" PARENT "-0x", "00-00000000000000000000000000000000-" PARENT "-01",
        "00-" TRACE "-0000000000000000-01", "00-0AF7651916CD43DD8448EB211C80319C-" PARENT "-01",
        "00-" TRACE "-B7AD6B7169203331-01", "00-0af7651916cd43dd8448eb211c80319-" PARENT "-011",
    };
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
        trace_context t = { .trace = "untouched" };
        ck_assert_msg(!trace_context_read(&t, text_of(BAD[i])), "%s", BAD[i]);
        ck_assert_str_eq(t.trace, "untouched");
    }
}
END_TEST

START_TEST(one_that_begins_here_is_like_no_other_and_has_no_parent)
{
    trace_context a, b;
    trace_context_make(&a);
    trace_context_make(&b);
    ck_assert_int_ne(memcmp(a.trace, b.trace, TRACE_ID), 0);
    ck_assert(!trace_has_parent(&a) && !a.sampled);
}
END_TEST

START_TEST(what_is_written_can_be_read)
{
    trace_context made, t;
    char to[TRACEPARENT];
    trace_context_make(&made);
    for (int sampled = 0; sampled < 2; sampled++) {
        made.sampled = sampled;
        trace_context_write(&made, "b7ad6b7169203331", to);
        ck_assert(trace_context_read(&t, (text){ to, sizeof to }));
        ck_assert_mem_eq(t.trace, made.trace, TRACE_ID);
        ck_assert_mem_eq(t.parent, PARENT, SPAN_ID);
        ck_assert_int_eq(t.sampled, sampled);
    }
}
END_TEST

START_TEST(a_tracestate_is_handed_on_if_it_is_printable_and_not_too_long)
{
    char state[TRACESTATE_MOST + 2];
    memset(state, 'a', sizeof state);
    ck_assert(tracestate_is_fit(TEXT("congo=t61rcWkgMzE,rojo=00f067aa0ba902b7")));
    ck_assert(tracestate_is_fit((text){ state, TRACESTATE_MOST }));
    ck_assert(!tracestate_is_fit((text){ state, TRACESTATE_MOST + 1 }));
    ck_assert(!tracestate_is_fit(TEXT("")));
    ck_assert(!tracestate_is_fit(TEXT("a=\x01")));
    ck_assert(!tracestate_is_fit(TEXT("a=\xc3\xa9")));
}
END_TEST

Suite *trace_context_suite(void)
{
    Suite *s = suite_create("trace_context");
    TCase *t = tcase_create("all");
    tcase_add_test(t, a_well_formed_traceparent_is_read);
    tcase_add_test(t, the_last_bit_of_the_flags_is_sampled_and_the_others_are_not_looked_at);
    tcase_add_test(t, of_a_later_version_what_this_one_has_is_taken);
    tcase_add_test(t, what_is_not_well_formed_is_refused);
    tcase_add_test(t, one_that_begins_here_is_like_no_other_and_has_no_parent);
    tcase_add_test(t, what_is_written_can_be_read);
    tcase_add_test(t, a_tracestate_is_handed_on_if_it_is_printable_and_not_too_long);
    suite_add_tcase(s, t);
    return s;
}
