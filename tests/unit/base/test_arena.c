/* test_arena.c - zeroed, aligned, any size; endings in reverse order; reuse. */
#include "server/base/arena.h"
#include "server/base/block.h"
#include "server/base/memory.h"
#include "tests/unit/suites.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static bool all_are(const unsigned char *bytes, int c, size_t size)
{
    while (size > 0 && bytes[size - 1] == c)
        size--;
    return size == 0;
}

START_TEST(every_size_is_zeroed_aligned_and_its_own)
{
    char room[300];
    struct { unsigned char *at; size_t size; } got[400];
    for (int round = 0; round < 3; round++) {                /* the later ones on used blocks */
        arena a;
        arena_init(&a, round == 1 ? NULL : room, round == 1 ? 0 : sizeof room);
        for (int i = 0; i < 400; i++) {
            got[i].size = (size_t)i * 37 % 9000;
            got[i].at = arena_alloc(&a, got[i].size);
            ck_assert_uint_eq((uintptr_t)got[i].at % _Alignof(max_align_t), 0);
            ck_assert(all_are(got[i].at, 0, got[i].size));
            memset(got[i].at, i | 1, got[i].size);
        }
        for (int i = 0; i < 400; i++)
            ck_assert(all_are(got[i].at, (i | 1) & 0xff, got[i].size));
        arena_done(&a);
    }
    block_trim();
}
END_TEST

START_TEST(the_callers_room_is_used_first)
{
    _Alignas(16) char room[256];
    arena a;
    arena_init(&a, room, sizeof room);
    char *p = arena_alloc(&a, 200);
    if (!RESERVE_NOTHING)
        ck_assert(p >= room && p + 200 <= room + sizeof room);
    char *q = arena_alloc(&a, 200);
    ck_assert(q >= room + sizeof room || q + 200 <= room);
    arena_done(&a);
}
END_TEST

START_TEST(a_large_object_leaves_the_newest_block_in_use)
{
    arena a;
    arena_init(&a, NULL, 0);
    char *before = arena_alloc(&a, 16);
    memset(arena_alloc(&a, 1 << 20), 1, 1 << 20);
    char *after = arena_alloc(&a, 16);
    if (!RESERVE_NOTHING)
        ck_assert_ptr_eq(after, before + 16);
    arena_done(&a);
}
END_TEST

START_TEST(the_first_block_is_small_and_each_further_one_larger)
{
    if (RESERVE_NOTHING)
        return;
    arena a;
    const size_t rooms[] = { 128, 512, 2048, 4096, 4096 };
    arena_init(&a, NULL, 0);
    arena_defer(&a, free, NULL);             /* which is no block */
    for (size_t i = 0; i < sizeof rooms / sizeof *rooms; i++) {
        const size_t left = (size_t)(a.end - a.next);
        ck_assert_uint_lt(left, rooms[i]);
        ck_assert_uint_ge(left, rooms[i] - 64);
        arena_alloc(&a, left);
        arena_defer(&a, free, NULL);
    }
    arena_done(&a);
}
END_TEST

START_TEST(copies_and_prints_are_terminated)
{
    arena a;
    arena_init(&a, NULL, 0);
    ck_assert_str_eq(arena_copy(&a, (text){ "tenkers", 4 }), "tenk");
    ck_assert_str_eq(arena_copy(&a, TEXT("")), "");
    ck_assert_str_eq(arena_printf(&a, "%s-%d", "x", 42), "x-42");
    ck_assert_uint_eq(strlen(arena_printf(&a, "%10000d", 1)), 10000);
    arena_done(&a);
}
END_TEST

static char order[8];
static arena *again;

static void note(void *arg) { strcat(order, arg); }

static void defer_another(void *arg)
{
    note(arg);
    arena_defer(again, note, "z");
}

START_TEST(endings_run_last_one_first)
{
    arena a;
    arena_init(&a, NULL, 0);
    arena_defer(&a, note, "1");
    arena_defer(&a, note, "2");
    arena_defer(&a, note, "3");
    arena_done(&a);
    ck_assert_str_eq(order, "321");
    arena_done(&a);                          /* nothing is left to run */
    ck_assert_str_eq(order, "321");
}
END_TEST

START_TEST(an_ending_may_defer_another)
{
    arena a;
    arena_init(&a, NULL, 0);
    again = &a;
    arena_defer(&a, note, "1");
    arena_defer(&a, defer_another, "2");
    arena_done(&a);
    ck_assert_str_eq(order, "2z1");
}
END_TEST

START_TEST(a_text_knows_its_equal)
{
    ck_assert(text_equal(TEXT("abc"), text_of("abc")));
    ck_assert(!text_equal(TEXT("abc"), TEXT("abd")));
    ck_assert(!text_equal(TEXT("abc"), TEXT("ab")));
    ck_assert(text_equal(TEXT(""), text_of("")));
}
END_TEST

Suite *arena_suite(void)
{
    Suite *s = suite_create("arena");
    TCase *t = tcase_create("all");
    tcase_add_test(t, every_size_is_zeroed_aligned_and_its_own);
    tcase_add_test(t, the_callers_room_is_used_first);
    tcase_add_test(t, a_large_object_leaves_the_newest_block_in_use);
    tcase_add_test(t, the_first_block_is_small_and_each_further_one_larger);
    tcase_add_test(t, copies_and_prints_are_terminated);
    tcase_add_test(t, endings_run_last_one_first);
    tcase_add_test(t, an_ending_may_defer_another);
    tcase_add_test(t, a_text_knows_its_equal);
    suite_add_tcase(s, t);
    return s;
}
