/* test_symbols.c - places in the code, told by function, file and line, or by what else is known. */
#include "server/diagnose/symbols.h"
#include "tests/unit/suites.h"

#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static symbols *s;

static void open_(void)  { s = symbols_open(); }
static void close_(void) { symbols_close(s); }

static int line;

static __attribute__((noinline)) uintptr_t here(void)
{
    return symbols_call(__builtin_return_address(0));
}

static inline __attribute__((always_inline)) uintptr_t inlined(void)
{
    const uintptr_t at = here();
    __asm__ volatile("" : : : "memory");
    return at;
}

static __attribute__((noinline)) uintptr_t outer(void)
{
    line = __LINE__ + 1;
    const uintptr_t at = inlined();
    __asm__ volatile("" : : : "memory");
    return at;
}

START_TEST(a_place_is_a_file_and_a_line)
{
    char text[256], expected[64];
    const uintptr_t at = here();
    snprintf(expected, sizeof expected, "tests/unit/diagnose/test_symbols.c:%d", __LINE__ - 1);
    symbols_place(s, at, text, sizeof text);
    ck_assert_str_eq(text, expected);
}
END_TEST

START_TEST(a_function_is_told_together_with_those_it_was_compiled_into)
{
    char text[512], expected[64];
    symbols_frame(s, outer(), text, sizeof text);
    snprintf(expected, sizeof expected, ") < outer (tests/unit/diagnose/test_symbols.c:%d)", line);
    ck_assert_msg(strncmp(text, "inlined (tests/unit/diagnose/test_symbols.c:", 30) == 0, "%s", text);
    ck_assert_msg(strstr(text, expected) != NULL, "%s", text);
}
END_TEST

START_TEST(without_debug_information_the_symbol_and_the_offset_are_told)
{
    char text[256];
    symbols_frame(s, (uintptr_t)dlsym(RTLD_DEFAULT, "uv_run"), text, sizeof text);
    ck_assert_msg(strncmp(text, "uv_run (", 8) == 0, "%s", text);
}
END_TEST

START_TEST(what_is_no_code_is_a_number)
{
    char text[64];
    ck_assert_uint_eq(symbols_frame(s, 16, text, sizeof text), 4);
    ck_assert_str_eq(text, "0x10");
    symbols_place(s, 16, text, sizeof text);
    ck_assert_str_eq(text, "0x10");
}
END_TEST

START_TEST(a_text_is_cut_to_the_room_there_is)
{
    char text[8];
    ck_assert_uint_eq(symbols_frame(s, outer(), text, sizeof text), 7);
    ck_assert_str_eq(text, "inlined");
}
END_TEST

Suite *symbols_suite(void)
{
    Suite *suite = suite_create("symbols");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, open_, close_);
    tcase_add_test(t, a_place_is_a_file_and_a_line);
    tcase_add_test(t, a_function_is_told_together_with_those_it_was_compiled_into);
    tcase_add_test(t, without_debug_information_the_symbol_and_the_offset_are_told);
    tcase_add_test(t, what_is_no_code_is_a_number);
    tcase_add_test(t, a_text_is_cut_to_the_room_there_is);
    suite_add_tcase(suite, t);
    return suite;
}
