/* test_item_cache.c - what is found again, and what is not kept because it was changed meanwhile. */
#include "handlers/boards/item_cache.h"
#include "tests/unit/suites.h"

#include <stdio.h>

enum { ANOTHER = 65536 };                    /* an id and ANOTHER more have one place */

static arena a;
static item  found;
static uint64_t now;                         /* nanoseconds */

static void setup(void) { arena_init(&a, NULL, 0); }
static void teardown(void) { arena_done(&a); }

static item item_called(int64_t id, const char *name)
{
    return (item){ .id = id, .price = 3, .name = text_of(name), .category = TEXT("c"), .active = true, .tags_json = TEXT("[]") };
}

static item_ticket ticket_for(int64_t id)
{
    item_ticket ticket = 0;
    ck_assert(!item_cache_find(id, now, &a, &found, &ticket));
    return ticket;
}

static void keep(int64_t id, const char *name, item_ticket ticket)
{
    const item i = item_called(id, name);
    item_cache_keep(&i, now, ticket);
}

static void expect_found(int64_t id, const char *name)
{
    item_ticket ticket;
    ck_assert(item_cache_find(id, now, &a, &found, &ticket));
    ck_assert_int_eq(found.id, id);
    ck_assert(text_equal(found.name, text_of(name)) && text_equal(found.category, TEXT("c")) &&
              text_equal(found.tags_json, TEXT("[]")) && found.price == 3 && found.active);
}

START_TEST(what_was_kept_is_found_as_a_copy_until_it_is_forgotten)
{
    char name[] = "one";
    keep(1, name, ticket_for(1));
    name[0] = 'x';
    expect_found(1, "one");
    ticket_for(2);
    item_cache_forget(1);
    ticket_for(1);
}
END_TEST

START_TEST(what_was_kept_is_found_for_a_moment_and_no_longer)
{
    keep(1, "one", ticket_for(1));
    for (; now < ITEM_CACHE_LIFETIME; now += ITEM_CACHE_LIFETIME / 4)
        expect_found(1, "one");              /* to be found does not make it younger */
    keep(1, "again", ticket_for(1));
    expect_found(1, "again");
}
END_TEST

START_TEST(what_was_read_before_a_change_is_not_kept_after_it)
{
    const item_ticket early = ticket_for(1);
    item_cache_forget(1);
    keep(1, "old", early);
    keep(1, "new", ticket_for(1));
    expect_found(1, "new");
    keep(1, "old", early);
    expect_found(1, "new");
}
END_TEST

START_TEST(of_those_with_one_place_the_last_stays)
{
    keep(-1, "minus one", ticket_for(-1));
    keep(1, "one", ticket_for(1));
    keep(1 + ANOTHER, "another", ticket_for(1 + ANOTHER));
    expect_found(1 + ANOTHER, "another");
    expect_found(-1, "minus one");
    ticket_for(1);
}
END_TEST

START_TEST(one_with_long_texts_is_not_kept)
{
    static char name[2000];
    snprintf(name, sizeof name, "%0*d", (int)sizeof name - 1, 0);
    keep(1, name, ticket_for(1));
    ticket_for(1);
}
END_TEST

Suite *item_cache_suite(void)
{
    Suite *s = suite_create("item_cache");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, what_was_kept_is_found_as_a_copy_until_it_is_forgotten);
    tcase_add_test(t, what_was_kept_is_found_for_a_moment_and_no_longer);
    tcase_add_test(t, what_was_read_before_a_change_is_not_kept_after_it);
    tcase_add_test(t, of_those_with_one_place_the_last_stays);
    tcase_add_test(t, one_with_long_texts_is_not_kept);
    suite_add_tcase(s, t);
    return s;
}
