/* test_list.c - lists and fifos, in every order of coming and going. */
#include "server/base/list.h"
#include "tests/unit/suites.h"

typedef struct item { int number; list_node node; } item;

/* The numbers of a list's nodes as decimal digits: 312. Each node's link is looked at, too. */
static int digits(list_node *const *first)
{
    int n = 0;
    for (list_node *const *link = first; *link; link = &(*link)->next) {
        ck_assert_ptr_eq((*link)->link, link);
        n = 10 * n + container_of(*link, item, node)->number;
    }
    return n;
}

static item items[] = { { .number = 1 }, { .number = 2 }, { .number = 3 } };

START_TEST(a_list_has_the_newest_in_front)
{
    list l = { 0 };
    for (int i = 0; i < 3; i++)
        list_push(&l, &items[i].node);
    ck_assert_int_eq(digits(&l.first), 321);
}
END_TEST

START_TEST(any_node_leaves_a_list)
{
    static const int LEFT[] = { 32, 31, 21 };
    list l = { 0 };
    for (int i = 0; i < 3; i++)
        list_push(&l, &items[i].node);
    ck_assert(list_has(&items[_i].node));
    list_remove(&items[_i].node);
    ck_assert(!list_has(&items[_i].node));
    ck_assert_int_eq(digits(&l.first), LEFT[_i]);
    list_push(&l, &items[_i].node);
    ck_assert_int_eq(digits(&l.first), 100 * items[_i].number + LEFT[_i]);
}
END_TEST

START_TEST(a_list_is_empty_when_all_have_left)
{
    list l = { 0 };
    for (int i = 0; i < 3; i++)
        list_push(&l, &items[i].node);
    for (int i = 0; i < 3; i++)
        list_remove(&items[i].node);
    ck_assert_ptr_null(l.first);
}
END_TEST

static void fill(fifo *f)
{
    for (int i = 0; i < 3; i++)
        fifo_append(f, &items[i].node);
    ck_assert_int_eq(digits(&f->first), 123);
}

START_TEST(a_fifo_gives_them_in_the_order_in_which_they_came)
{
    fifo f = { 0 };
    fill(&f);
    for (int i = 0; i < 3; i++)
        ck_assert_ptr_eq(fifo_take(&f), &items[i].node);
    ck_assert_ptr_null(fifo_take(&f));
    fill(&f);                                /* it can be filled again */
}
END_TEST

START_TEST(any_node_leaves_a_fifo_and_the_next_comes_behind_the_others)
{
    static const int LEFT[] = { 23, 13, 12 };
    fifo f = { 0 };
    fill(&f);
    fifo_remove(&f, &items[_i].node);
    ck_assert(!list_has(&items[_i].node));
    ck_assert_int_eq(digits(&f.first), LEFT[_i]);
    fifo_append(&f, &items[_i].node);
    ck_assert_int_eq(digits(&f.first), 10 * LEFT[_i] + items[_i].number);
}
END_TEST

START_TEST(what_is_pushed_comes_before_the_others)
{
    fifo f = { 0 };
    fifo_push(&f, &items[1].node);
    fifo_append(&f, &items[2].node);
    fifo_push(&f, &items[0].node);
    ck_assert_int_eq(digits(&f.first), 123);
}
END_TEST

START_TEST(all_are_taken_at_once_and_may_still_leave)
{
    fifo f = { 0 }, taken;
    fifo_take_all(&f, &taken);
    ck_assert_ptr_null(taken.first);
    fill(&f);
    fifo_take_all(&f, &taken);
    ck_assert_ptr_null(f.first);
    ck_assert_int_eq(digits(&taken.first), 123);
    fifo_remove(&taken, &items[2].node);
    fifo_remove(&taken, &items[0].node);
    fifo_append(&f, &items[2].node);
    fifo_append(&taken, &items[0].node);
    ck_assert_int_eq(digits(&taken.first), 21);
    ck_assert_int_eq(digits(&f.first), 3);
}
END_TEST

Suite *list_suite(void)
{
    Suite *s = suite_create("list");
    TCase *t = tcase_create("all");
    tcase_add_test(t, a_list_has_the_newest_in_front);
    tcase_add_loop_test(t, any_node_leaves_a_list, 0, 3);
    tcase_add_test(t, a_list_is_empty_when_all_have_left);
    tcase_add_test(t, a_fifo_gives_them_in_the_order_in_which_they_came);
    tcase_add_loop_test(t, any_node_leaves_a_fifo_and_the_next_comes_behind_the_others, 0, 3);
    tcase_add_test(t, what_is_pushed_comes_before_the_others);
    tcase_add_test(t, all_are_taken_at_once_and_may_still_leave);
    suite_add_tcase(s, t);
    return s;
}
