/* test_deflate.c - which offers are accepted, and messages there and back, also such as a client should not send. */
#include "server/http/websocket/deflate.h"
#include "server/base/memory.h"
#include "tests/unit/suites.h"

#include <check.h>
#include <stdlib.h>
#include <zlib.h>

#define ANEW "permessage-deflate; server_no_context_takeover; client_no_context_takeover"

START_TEST(the_first_offer_that_can_be_accepted_is)
{
    static const struct { const char *offers; int window; const char *answer; } CASES[] = {
        { "permessage-deflate", 15, ANEW },
        { "Permessage-Deflate ; Client_No_Context_Takeover", 15, ANEW },
        { "permessage-deflate; client_max_window_bits", 15, ANEW },
        { "permessage-deflate; client_max_window_bits=8; server_no_context_takeover", 15, ANEW },
        { "permessage-deflate; server_max_window_bits=10", 10, ANEW "; server_max_window_bits=10" },
        { "permessage-deflate; server_max_window_bits = \"15\"", 15, ANEW "; server_max_window_bits=15" },
        { "permessage-deflate; server_max_window_bits=8, permessage-deflate", 15, ANEW },     /* zlib has none of 8 */
        { "x-webkit-deflate-frame, permessage-deflate; server_max_window_bits=9", 9, ANEW "; server_max_window_bits=9" },
        { "permessage-deflate; unknown, permessage-deflate; server_max_window_bits=11", 11, ANEW "; server_max_window_bits=11" },
    };
    char answer[DEFLATE_ANSWER];
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        ck_assert_msg(deflate_negotiate(text_of(CASES[i].offers), answer) == CASES[i].window, "%s", CASES[i].offers);
        ck_assert_str_eq(answer, CASES[i].answer);
    }
}
END_TEST

START_TEST(an_offer_that_is_not_as_it_should_be_is_none)
{
    static const char *const CASES[] = {
        "", "x", "deflate", "permessage-deflate-2", "permessage-deflate; x", "permessage-deflate; server_no_context_takeover=1",
        "permessage-deflate; client_no_context_takeover=", "permessage-deflate; server_max_window_bits",
        "permessage-deflate; server_max_window_bits=", "permessage-deflate; server_max_window_bits=7",
        "permessage-deflate; server_max_window_bits=8", "permessage-deflate; server_max_window_bits=16",
        "permessage-deflate; server_max_window_bits=09", "permessage-deflate; server_max_window_bits=1a",
        "permessage-deflate; server_max_window_bits=\"1", "permessage-deflate; client_max_window_bits=",
        "permessage-deflate; client_max_window_bits=7",
        "permessage-deflate; server_max_window_bits=10; server_max_window_bits=10",
        "permessage-deflate; client_max_window_bits; client_max_window_bits",
        "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
        "permessage-deflate; ; client_max_window_bits",
    };
    char answer[DEFLATE_ANSWER];
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++)
        ck_assert_msg(deflate_negotiate(text_of(CASES[i]), answer) == 0, "%s", CASES[i]);
}
END_TEST

static text words(size_t length)
{
    static char bytes[400000];
    for (size_t i = 0; i < length; i++)
        bytes[i] = "Lorem ipsum dolor sit amet, "[(i * i / 7 + i) % 28];
    return (text){ bytes, length };
}

static void expect_inflated(text packed, text to)
{
    char *out;
    size_t length;
    ck_assert_int_eq(deflate_inflate(packed, to.length, &out, &length), 0);
    ck_assert_uint_eq(length, to.length);
    ck_assert_mem_eq(out, to.at, length);
    ck_assert_int_eq(out[length], '\0');
    mem_free(out);
}

static int code_of(text packed, size_t most)
{
    char *out;
    size_t length;
    const int code = deflate_inflate(packed, most, &out, &length);
    if (!code)
        mem_free(out);
    return code;
}

START_TEST(what_is_deflated_can_be_inflated_whatever_came_before)
{
    for (int window = 9; window <= 15; window++)
        for (size_t length = DEFLATE_LEAST; length <= DEFLATE_MOST; length = length * 3 + 1) {
            const text packed = deflate_message(words(length), window);
            ck_assert(packed.at && packed.length < length);
            expect_inflated(packed, words(length));
            ck_assert_int_eq(code_of(packed, length - 1), 1009);
            ck_assert_int_ne(code_of((text){ packed.at, packed.length - 1 }, length), 0);
            mem_free((void *)packed.at);
        }
    deflate_trim();
    const text again = deflate_message(words(1000), 15);
    expect_inflated(again, words(1000));
    mem_free((void *)again.at);
    deflate_trim();
}
END_TEST

/* By zlib itself, with a window of so many bits: all of it fits in there, or a client that looks back farther is not
 * understood. */
START_TEST(a_window_is_no_larger_than_was_agreed_on)
{
    for (int window = 9; window <= 15; window++) {
        static char back[400000];
        const text t = words(DEFLATE_MOST), packed = deflate_message(t, window);
        z_stream z = { .next_in = (Bytef *)packed.at, .avail_in = (uInt)packed.length,
                       .next_out = (Bytef *)back, .avail_out = 300 };
        ck_assert_int_eq(inflateInit2(&z, -window), Z_OK);
        while (z.avail_in > 0 && z.total_out < t.length) {   /* in steps, so that only the window reaches back */
            ck_assert_int_eq(inflate(&z, Z_SYNC_FLUSH), Z_OK);
            z.avail_out = 300;
        }
        ck_assert_uint_eq(z.total_out, t.length);
        ck_assert_mem_eq(back, t.at, t.length);
        inflateEnd(&z);
        mem_free((void *)packed.at);
    }
    deflate_trim();
}
END_TEST

START_TEST(what_gets_no_smaller_is_not_deflated)
{
    static char bytes[4096];
    srand(1);
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(rand() >> 7);
    ck_assert_ptr_null(deflate_message((text){ bytes, sizeof bytes }, 15).at);
    const text packed = deflate_message(words(1000), 15);
    expect_inflated(packed, words(1000));
    mem_free((void *)packed.at);
    deflate_trim();
}
END_TEST

/* The RFC's own examples, 7.2.3. */
START_TEST(the_examples_of_the_rfc_are_understood)
{
    static const char MORE[] = "\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00";
    expect_inflated(TEXT("\xf2\x48\xcd\xc9\xc9\x07\x00"), TEXT("Hello"));
    expect_inflated(TEXT("\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00"), TEXT("Hello"));
    expect_inflated(TEXT("\xf3\x48\xcd\xc9\xc9\x07\x00\x00"), TEXT("Hello"));
    expect_inflated((text){ MORE, sizeof MORE - 1 }, TEXT("Hello"));
    expect_inflated(TEXT("\x00"), TEXT(""));
    deflate_trim();
}
END_TEST

START_TEST(what_is_no_such_data_is_found_out)
{
    ck_assert_int_eq(code_of(TEXT(""), 100), 1007);
    ck_assert_int_eq(code_of(TEXT("\x07"), 100), 1007);
    ck_assert_int_eq(code_of(TEXT("\xf2\x48\xcd\xc9\xc9"), 100), 1007);
    ck_assert_int_eq(code_of(TEXT("\xff\xff\xff\xff"), 100), 1007);
    ck_assert_int_eq(code_of(TEXT("\xf3\x48\xcd\xc9\xc9\x07\x00"), 100), 1007);  /* ended, and then nothing follows */
    deflate_trim();
}
END_TEST

/* A megabyte of zeros in a kilobyte: it is not all made to see that it is too much. */
START_TEST(a_bomb_is_stopped_at_the_limit)
{
    static char zeros[1 << 20];
    const text packed = deflate_message((text){ zeros, sizeof zeros }, 15);
    ck_assert_uint_lt(packed.length, 8192);
    ck_assert_int_eq(code_of(packed, 1000), 1009);
    ck_assert_int_eq(code_of(packed, sizeof zeros - 1), 1009);
    expect_inflated(packed, (text){ zeros, sizeof zeros });
    mem_free((void *)packed.at);
    deflate_trim();
}
END_TEST

Suite *deflate_suite(void)
{
    Suite *s = suite_create("deflate");
    TCase *t = tcase_create("deflate");
    tcase_add_test(t, the_first_offer_that_can_be_accepted_is);
    tcase_add_test(t, an_offer_that_is_not_as_it_should_be_is_none);
    tcase_add_test(t, what_is_deflated_can_be_inflated_whatever_came_before);
    tcase_add_test(t, a_window_is_no_larger_than_was_agreed_on);
    tcase_add_test(t, what_gets_no_smaller_is_not_deflated);
    tcase_add_test(t, the_examples_of_the_rfc_are_understood);
    tcase_add_test(t, what_is_no_such_data_is_found_out);
    tcase_add_test(t, a_bomb_is_stopped_at_the_limit);
    suite_add_tcase(s, t);
    return s;
}
