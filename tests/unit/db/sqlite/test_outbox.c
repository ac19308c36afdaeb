/* test_outbox.c - the outbox on SQLite: what is published comes at once and in order, is read again, and is pruned. */
#include "db/channel.h"
#include "db/listener.h"
#include "fixture.h"
#include "server/base/deadline.h"
#include "tests/unit/db/handed_out.h"
#include "tests/unit/suites.h"

#include <poll.h>

static const outbox_options KEEP_ALL = { .poll_ms = 20 };

static promise *publish(const char *topic, const char *data)
{
    value room[OUTBOX_VALUES];
    const db_step steps[] = { outbox_step(room, text_of(topic), TEXT("said"), text_of(data)) };
    return db_transaction(here, &memory, NULL, 1, steps);
}

static void open_way(bool blocking)
{
    if (!blocking) {
        on_loop(1, 100, 0, 0);
        return;
    }
    open_it(1, 100, 0, 0);
    here = db_new(whole);
}

START_TEST(what_is_committed_is_handed_out_in_order_and_what_is_undone_is_not)
{
    static const statement STRAY = { "stray", "insert into posts (user_id, title, body, created_at) values (4000, '', '', $1)",
                                     false };
    enum { MANY = 40 };
    char data[MANY][16];
    log_capture();
    open_way(_i);
    handed_out *h = handed_out_begin(whole, &KEEP_ALL);
    for (int i = 0; i < MANY; i++) {
        value room[OUTBOX_VALUES], one = integer(1);
        snprintf(data[i], sizeof data[i], "%d", i);
        const db_step steps[] = { outbox_step(room, TEXT("a"), TEXT("said"), text_of(data[i])), { &STRAY, 1, &one, NULL } };
        ck_assert_int_eq(outcome_way(_i, db_transaction(here, &memory, NULL, i % 2 ? 1 : 2, steps)), i % 2 ? 0 : DB_EQUERY);
    }
    handed_out_wait(h, MANY / 2);
    for (int i = 0; i < MANY / 2; i++)
        ck_assert_str_eq(h->data[i], data[2 * i + 1]);
    ck_assert_int_eq(outbox_position(h->outbox), MANY / 2);
    handed_out_end(h);
    close_way(_i);
}
END_TEST

START_TEST(data_has_the_key_of_what_was_stored_and_where_nothing_was_nothing_is_published)
{
    static const statement KEPT = { "kept", "insert into posts (user_id, title, body, created_at) select id, 'x', 'b', 1 from"
                                            " users where id = $1 returning id, set_config('tenk.key', cast(id as text), true)",
                                    false, "it" };
    open_way(_i);
    handed_out *h = handed_out_begin(whole, &KEEP_ALL);
    for (int64_t user = 4000; user > 0; user -= 3999) {
        value room[OUTBOX_VALUES], of = integer(user);
        rows r;
        const db_step steps[] = { { &KEPT, 1, &of, &r }, outbox_step_with_key(room, TEXT("a"), TEXT("e"), TEXT("<"), TEXT(">")) };
        ck_assert_int_eq(outcome_way(_i, db_transaction(here, &memory, NULL, 2, steps)), 0);
        ck_assert_int_eq(r.count, user == 1);
    }
    handed_out_wait(h, 1);
    ck_assert_str_eq(h->data[0], "<501>");
    for (int indexed = 0; indexed < 2; indexed++) {          /* it is not */
        rows past;
        ck_assert_int_eq(outcome_way(_i, outbox_read(h->outbox, here, &memory, &past, TEXT("a"), indexed, 0, 10)), 0);
        ck_assert_int_eq(outbox_past_count(&past), !indexed);
    }
    handed_out_end(h);
    close_way(_i);
}
END_TEST

static promise *publish_once(const char *topic, const char *data, const char *key, rows *id)
{
    value add[OUTBOX_VALUES], find[OUTBOX_VALUES];
    db_step steps[] = { outbox_step_once(add, text_of(topic), TEXT("said"), text_of(data), text_of(key)),
                        outbox_step_id(find, text_of(topic), text_of(key)) };
    steps[1].out = id;
    return db_transaction(here, &memory, NULL, 2, steps);
}

START_TEST(what_has_a_key_is_published_once_in_a_topic)
{
    static const struct { const char *topic, *data, *key; int64_t id; } SENT[] = {
        { "a", "one", "k", 1 }, { "a", "again", "k", 1 }, { "b", "other", "k", 2 },
        { "a", "two", "l", 3 }, { "b", "again", "k", 2 },
    };
    open_way(_i);
    handed_out *h = handed_out_begin(whole, &KEEP_ALL);
    for (size_t i = 0; i < sizeof SENT / sizeof *SENT; i++) {
        rows r;
        ck_assert_int_eq(outcome_way(_i, publish_once(SENT[i].topic, SENT[i].data, SENT[i].key, &r)), 0);
        ck_assert_int_eq(rows_int(&r, 0, 0), SENT[i].id);
    }
    ck_assert_int_eq(outcome_way(_i, publish("a", "without")), 0);
    ck_assert_int_eq(outcome_way(_i, publish("a", "without")), 0);
    handed_out_wait(h, 5);
    ck_assert_str_eq(h->data[0], "one");
    ck_assert_str_eq(h->data[1], "other");
    ck_assert_str_eq(h->data[2], "two");
    handed_out_end(h);
    close_way(_i);
}
END_TEST

START_TEST(what_was_published_before_it_began_is_not_handed_out_but_can_be_read)
{
    rows r;
    open_way(_i);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(outcome_way(_i, publish("a", "before")), 0);
        ck_assert_int_eq(outcome_way(_i, publish("b", "other")), 0);
    }
    handed_out *h = handed_out_begin(whole, &KEEP_ALL);
    ck_assert_int_eq(outcome_way(_i, publish("a", "after")), 0);
    handed_out_wait(h, 1);
    ck_assert_str_eq(h->data[0], "after");
    ck_assert_int_eq(outcome_way(_i, outbox_read(h->outbox, here, &memory, &r, TEXT("a"), true, 1, 10)), 0);
    ck_assert_int_eq(outbox_past_count(&r), 3);
    ck_assert(!outbox_past_is_pruned(&r, 1));
    ck_assert_int_eq(outbox_past_row(&r, 0).id, 3);
    ck_assert(text_equal(outbox_past_row(&r, 2).data, TEXT("after")));
    ck_assert(text_equal(outbox_past_row(&r, 2).event, TEXT("said")));
    ck_assert_int_eq(outcome_way(_i, outbox_read(h->outbox, here, &memory, &r, TEXT("a"), true, 0, 2)), 0);
    ck_assert_int_eq(outbox_past_count(&r), 2);
    ck_assert(!outbox_past_is_pruned(&r, 0));
    ck_assert_int_eq(outcome_way(_i, outbox_read(h->outbox, here, &memory, &r, TEXT("a"), true, 7, 2)), 0);
    ck_assert_int_eq(outbox_past_count(&r), 0);
    handed_out_end(h);
    close_way(_i);
}
END_TEST

START_TEST(old_rows_are_pruned_by_count_and_by_age_but_never_the_newest_and_readers_are_told)
{
    enum { MANY = 12500 };                   /* in so many goes that a pause between them would be noticed */
    const outbox_options few = { .poll_ms = 20, .keep = 10 }, fresh = { .poll_ms = 20, .keep_ms = 3600 * 1000 };
    rows r;
    open_way(_i);
    files_ask(path, "with recursive n(i) as (select 1 union all select i + 1 from n where i < 12500)"
                    " insert into outbox (topic, event, data, created_at) select 'a', 'e', i, unixepoch() - 7200 from n");
    handed_out *h = handed_out_begin(whole, &few);
    while (files_ask(path, "select count(*) from outbox") > 11)
        sched_yield();
    ck_assert_int_eq(files_ask(path, "select min(id) >= 12490 from outbox"), 1);
    ck_assert_int_eq(outcome_way(_i, outbox_read(h->outbox, here, &memory, &r, TEXT("a"), true, 100, 5)), 0);
    ck_assert(outbox_past_is_pruned(&r, 100));
    ck_assert(!outbox_past_is_pruned(&r, MANY - 5));
    while (outbox_look(h->outbox).pruned < MANY - 11)        /* it is told after it is done */
        sched_yield();
    ck_assert_int_lt(outbox_look(h->outbox).pruned, MANY);
    ck_assert_int_eq(outbox_look(h->outbox).position, MANY);
    handed_out_end(h);
    h = handed_out_begin(whole, &fresh);
    while (files_ask(path, "select count(*) from outbox") > 1)
        sched_yield();
    ck_assert_int_eq(files_ask(path, "select id from outbox"), MANY);
    ck_assert_int_eq(outcome_way(_i, publish("a", "after")), 0);
    handed_out_wait(h, 1);
    ck_assert_int_eq(h->ids[0], MANY + 1);
    handed_out_end(h);
    close_way(_i);
}
END_TEST

START_TEST(many_that_come_at_once_are_handed_out_without_a_pause)
{
    enum { MANY = 1500 };
    open_way(_i);
    handed_out *h = handed_out_begin(whole, &KEEP_ALL);
    files_ask(path, "with recursive n(i) as (select 1 union all select i + 1 from n where i < 1500)"
                    " insert into outbox (topic, event, data, created_at) select 'a', 'e', i, 1 from n");
    ck_assert_int_eq(outcome_way(_i, publish("a", "last")), 0);
    handed_out_wait(h, MANY + 1);
    handed_out_end(h);
    close_way(_i);
}
END_TEST

START_TEST(rows_that_are_deleted_by_hand_hold_up_nothing)
{
    open_way(_i);
    handed_out *h = handed_out_begin(whole, &KEEP_ALL);
    files_ask(path, "insert into outbox (id, topic, event, data, created_at) values (10, 'a', 'e', 'ten', 1)");
    ck_assert_int_eq(outcome_way(_i, publish("a", "eleven")), 0);
    handed_out_wait(h, 2);
    ck_assert_int_eq(h->ids[1], 11);
    handed_out_end(h);
    close_way(_i);
}
END_TEST

START_TEST(who_listens_hears_of_what_is_committed_to_its_own_channel)
{
    db_listener *mine, *others;
    open_way(_i);
    ck_assert_int_eq(database_listen(&mine, whole, OUTBOX_CHANNEL), 0);
    ck_assert_int_eq(database_listen(&others, whole, "others"), 0);
    for (int i = 0; i < 2; i++)
        db_listener_wait(i ? mine : others, 0);              /* at first it says that it is there */
    ck_assert_int_eq(outcome_way(_i, publish("a", "one")), 0);
    ck_assert_int_eq(db_listener_wait(mine, NO_DEADLINE), 0);
    ck_assert_int_eq(db_listener_wait(mine, 0), UV_ETIMEDOUT);
    ck_assert_int_eq(db_listener_wait(others, 0), UV_ETIMEDOUT);
    db_listener_close(mine);
    db_listener_close(others);
    close_way(_i);
}
END_TEST

static bool is_woken(const channel_listener *l) { return poll(&(struct pollfd){ l->fd, POLLIN, 0 }, 1, 0) == 1; }

START_TEST(who_waits_is_woken_by_the_first_who_tells_and_takes_all_of_it)
{
    channels all;
    channel_listener l;
    channels_init(&all);
    ck_assert_int_eq(channel_listener_open(&l, &all, "mine"), 0);
    for (int i = 0; i < 2; i++) {
        ck_assert(!is_woken(&l));
        channels_tell(&all, "mine");
        ck_assert(is_woken(&l));
        channels_tell(&all, "mine");
        ck_assert(channel_listener_take(&l));
        ck_assert(!channel_listener_take(&l));
    }
    channel_listener_close(&l);
    channels_done(&all);
}
END_TEST

Suite *sqlite_outbox_suite(void)
{
    Suite *s = suite_create("sqlite_outbox");
    TCase *t = tcase_create("all");
    tcase_add_loop_test(t, what_is_committed_is_handed_out_in_order_and_what_is_undone_is_not, 0, 2);
    tcase_add_loop_test(t, data_has_the_key_of_what_was_stored_and_where_nothing_was_nothing_is_published, 0, 2);
    tcase_add_loop_test(t, what_has_a_key_is_published_once_in_a_topic, 0, 2);
    tcase_add_loop_test(t, what_was_published_before_it_began_is_not_handed_out_but_can_be_read, 0, 2);
    tcase_add_loop_test(t, old_rows_are_pruned_by_count_and_by_age_but_never_the_newest_and_readers_are_told, 0, 2);
    tcase_add_loop_test(t, many_that_come_at_once_are_handed_out_without_a_pause, 0, 2);
    tcase_add_loop_test(t, rows_that_are_deleted_by_hand_hold_up_nothing, 0, 2);
    tcase_add_loop_test(t, who_listens_hears_of_what_is_committed_to_its_own_channel, 0, 2);
    tcase_add_test(t, who_waits_is_woken_by_the_first_who_tells_and_takes_all_of_it);
    suite_add_tcase(s, t);
    return s;
}
