/* test_row_codec.c - rows to bytes and back, and bytes that are none. */
#include "db/driver.h"
#include "db/row_codec.h"
#include "tests/unit/suites.h"

#include <uv.h>

static const struct { int64_t number; const char *word; } FAKES[] = { { 1, "one" }, { INT64_MIN, "" }, { 0, NULL } };

static int64_t integer_of(const rows *r, int row, int column) { (void)r; (void)column; return FAKES[row].number; }
static bool    is_null(const rows *r, int row, int column)    { (void)r; return column == 1 && !FAKES[row].word; }

static text text_at(const rows *r, int row, int column)
{
    (void)r;
    (void)column;
    return text_of(FAKES[row].word);
}

static const rows_driver driver = { .integer = integer_of, .text = text_at, .null = is_null };
static const rows three = { 3, 2, NULL, &driver }, none = { 0, 2, NULL, &driver };

static arena  a;
static buffer b;

static void setup(void)
{
    arena_init(&a, NULL, 0);
    buffer_init(&b, &a);
}

static void teardown(void) { arena_done(&a); }

START_TEST(rows_come_back_as_they_went)
{
    rows back, again;
    rows_pack(&b, &three, "it");
    rows_pack(&b, &none, "it");
    text in = buffer_all(&b);
    ck_assert_int_eq(rows_unpack(&back, &in, &a), 0);
    ck_assert_int_eq(rows_unpack(&again, &in, &a), 0);
    ck_assert_uint_eq(in.length, 0);
    ck_assert_int_eq(back.count, 3);
    ck_assert_int_eq(again.count, 0);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(rows_int(&back, i, 0), FAKES[i].number);
        ck_assert(rows_null(&back, i, 1) == !FAKES[i].word);
        ck_assert(text_equal(rows_text(&back, i, 1), text_of(FAKES[i].word ? FAKES[i].word : "")));
    }
}
END_TEST

/* A text that is the last of all, or empty. */
START_TEST(rows_may_be_all_there_is)
{
    for (int count = 1; count <= 3; count++) {
        const rows some = { count, 2, NULL, &driver };
        rows back;
        b.length = 0;
        rows_pack(&b, &some, "it");
        text in = buffer_all(&b);
        ck_assert_int_eq(rows_unpack(&back, &in, &a), 0);
        ck_assert_uint_eq(in.length, 0);
        ck_assert_int_eq(back.count, count);
        ck_assert(text_equal(rows_text(&back, 0, 1), TEXT("one")));
    }
}
END_TEST

START_TEST(bytes_that_are_cut_off_anywhere_are_no_rows)
{
    rows back;
    rows_pack(&b, &three, "it");
    for (size_t length = 0; length < b.length; length++) {
        char *copy = arena_alloc(&a, length + 1);
        memcpy(copy, b.at, length);
        text in = { copy, length };
        ck_assert_int_eq(rows_unpack(&back, &in, &a), UV_EINVAL);
    }
}
END_TEST

START_TEST(bytes_that_claim_too_much_are_no_rows)
{
    static const struct { int count, columns; } claims[] = { { -1, 2 }, { 1, -1 }, { 1, 1 << 30 }, { 1 << 30, 2 } };
    rows back;
    for (int i = 0; i < 4; i++) {
        char bytes[64] = { 0 };
        memcpy(bytes, &claims[i], sizeof claims[i]);
        text in = { bytes, sizeof bytes };
        ck_assert_int_eq(rows_unpack(&back, &in, &a), UV_EINVAL);
    }
    rows_pack(&b, &three, "it");
    for (int i = 0; i < 3; i++) {
        const int64_t length = (int64_t[]){ INT64_MAX, -1, INT64_MIN }[i];
        memcpy(b.at + 8 + 2 + 9 + 1, &length, sizeof length);                /* of the first text */
        text in = buffer_all(&b);
        ck_assert_int_eq(rows_unpack(&back, &in, &a), UV_EINVAL);
    }
}
END_TEST

Suite *row_codec_suite(void)
{
    Suite *s = suite_create("row_codec");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, rows_come_back_as_they_went);
    tcase_add_test(t, rows_may_be_all_there_is);
    tcase_add_test(t, bytes_that_are_cut_off_anywhere_are_no_rows);
    tcase_add_test(t, bytes_that_claim_too_much_are_no_rows);
    suite_add_tcase(s, t);
    return s;
}
