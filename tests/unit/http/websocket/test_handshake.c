/* test_handshake.c - the digest of a key, and the subprotocol that is agreed on. */
#include "server/http/websocket/handshake.h"
#include "tests/unit/suites.h"

#include <check.h>

START_TEST(the_digest_is_that_of_the_standard)
{
    char digest[WEBSOCKET_ACCEPT];
    ck_assert_int_eq(websocket_handshake_digest(TEXT("dGhlIHNhbXBsZSBub25jZQ=="), digest), 0);
    ck_assert_mem_eq(digest, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", WEBSOCKET_ACCEPT);
}
END_TEST

START_TEST(the_first_of_ours_that_is_offered_is_agreed_on)
{
    static const struct { const char *ours, *offered, *agreed; } CASES[] = {
        { "a, b", "b, a", "a" }, { "a, b", "c, b", "b" }, { "a,b", "b", "b" }, { "a", "A", "" }, { "ab", "a", "" },
        { "", "a", "" }, { "a", "", "" }, { "", "", "" }, { ", a", ", ,a", "a" },
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        const text agreed = websocket_handshake_protocol(text_of(CASES[i].ours), text_of(CASES[i].offered));
        ck_assert_msg(text_equal(agreed, text_of(CASES[i].agreed)), "%s, of %s", CASES[i].ours, CASES[i].offered);
    }
}
END_TEST

Suite *websocket_handshake_suite(void)
{
    Suite *s = suite_create("websocket_handshake");
    TCase *t = tcase_create("handshake");
    tcase_add_test(t, the_digest_is_that_of_the_standard);
    tcase_add_test(t, the_first_of_ours_that_is_offered_is_agreed_on);
    suite_add_tcase(s, t);
    return s;
}
