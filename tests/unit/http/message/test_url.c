/* test_url.c - percent-encoding, and forms. */
#include "server/http/message/url.h"

#include "tests/unit/suites.h"

#include <stdio.h>

static arena a;
static void setup(void)    { arena_init(&a, NULL, 0); }
static void teardown(void) { arena_done(&a); }

static bool decodes(const char *t, bool form, const char *wanted)
{
    return text_equal(url_decode(&a, text_of(t), form), text_of(wanted));
}

START_TEST(what_is_encoded_is_decoded_once)
{
    ck_assert(decodes("a%20b%2f%2F%25", false, "a b//%"));
    ck_assert(decodes("%2541", false, "%41"));
    ck_assert(decodes("a+b", false, "a+b") && decodes("a+b%2B", true, "a b+"));
    for (int byte = 0; byte < 256; byte++) {
        char encoded[8];
        sprintf(encoded, byte % 2 ? "%%%02x" : "%%%02X", (unsigned)byte);
        const text t = url_decode(&a, text_of(encoded), false);
        ck_assert(t.length == 1 && (unsigned char)t.at[0] == byte);
    }
}
END_TEST

START_TEST(what_is_malformed_stays)
{
    static const char *const BAD[] = { "%", "a%", "%4", "%zz", "%4z", "%%41", "%-1", "% 1" };
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        ck_assert_msg(decodes(BAD[i], false, i == 5 ? "%A" : BAD[i]), "%s", BAD[i]);
    ck_assert_msg(decodes("a+%41", false, "a+A"), "a plus is a space in forms alone");
    ck_assert(text_equal(url_decode(&a, (text){ "%41", 2 }, false), TEXT("%4")));  /* what follows is another's */
}
END_TEST

START_TEST(what_needs_no_decoding_is_not_copied)
{
    const text t = TEXT("plain+text");
    ck_assert_ptr_eq(url_decode(&a, t, false).at, t.at);
    ck_assert_ptr_ne(url_decode(&a, t, true).at, t.at);
}
END_TEST

START_TEST(the_first_field_of_a_name_is_found)
{
    static const struct { const char *form, *name, *value; } CASES[] = {
        { "a=1&b=2&a=3", "a", "1" }, { "a=1&b=2", "b", "2" }, { "aa=1&a=2", "a", "2" }, { "a", "a", "" }, { "a=", "a", "" },
        { "&&a=b=c&", "a", "b=c" }, { "%61=x+y%20z", "a", "x y z" }, { "a+b=1", "a b", "1" }, { "=x", "", "x" },
        { "", "a", NULL }, { "b=a", "a", NULL }, { "%6=x", "a", NULL }, { "A=x", "a", NULL },
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        text value;
        const bool found = form_find(&a, text_of(CASES[i].form), CASES[i].name, &value);
        ck_assert_msg(found == (CASES[i].value != NULL), "%zu", i);
        ck_assert_msg(!found || text_equal(value, text_of(CASES[i].value)), "%zu", i);
    }
}
END_TEST

START_TEST(what_is_encoded_is_one_segment_and_decodes_to_what_it_was)
{
    char all[256];
    for (int i = 0; i < 256; i++)
        all[i] = (char)i;
    const char *encoded = url_encode(&a, (text){ all, 256 });
    const text decoded = url_decode(&a, text_of(encoded), true);
    ck_assert(!strpbrk(encoded, "/?#&=+ :@;\\\"<>\r\n"));
    ck_assert(text_equal(decoded, (text){ all, 256 }));
    ck_assert_str_eq(url_encode(&a, TEXT("a-b.c_d~e/f g")), "a-b.c_d~e%2Ff%20g");
    ck_assert_str_eq(url_encode(&a, TEXT("")), "");
}
END_TEST

Suite *url_suite(void)
{
    Suite *s = suite_create("url");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, what_is_encoded_is_decoded_once);
    tcase_add_test(t, what_is_malformed_stays);
    tcase_add_test(t, what_needs_no_decoding_is_not_copied);
    tcase_add_test(t, the_first_field_of_a_name_is_found);
    tcase_add_test(t, what_is_encoded_is_one_segment_and_decodes_to_what_it_was);
    suite_add_tcase(s, t);
    return s;
}
