/* test_context.c - a switch keeps what a callee must keep, on an aligned stack. */
#include "tests/unit/async/context_proof.h"
#include "server/base/memory.h"
#include "tests/unit/suites.h"

START_TEST(what_context_h_promises_holds)
{
    const char *broken = context_proof();
    ck_assert_msg(!broken, "%s", broken);
}
END_TEST

Suite *context_suite(void)
{
    Suite *s = suite_create("context");
    TCase *t = tcase_create("all");
    if (!RESERVE_NOTHING)                   /* the tools want to be told of each switch, as fiber.c does */
        tcase_add_test(t, what_context_h_promises_holds);
    suite_add_tcase(s, t);
    return s;
}
