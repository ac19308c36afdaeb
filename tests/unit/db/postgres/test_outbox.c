/* test_outbox.c - the outbox on PostgreSQL: transactions that end in another order or not well, connections that break,
 * servers that start again, and two processes, of which each has what the other publishes. */
#include "fixture.h"
#include "db/listener.h"
#include "db/outbox.h"
#include "db/schema.h"
#include "server/base/block.h"
#include "server/base/deadline.h"
#include "server/base/log.h"
#include "server/base/memory.h"
#include "tests/support/support.h"
#include "tests/unit/db/handed_out.h"
#include "tests/unit/suites.h"

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static const outbox_options KEEP_ALL = { .poll_ms = 20 };

static database *other;                      /* as if it were another process */

static int run_sql(void *connection, const char *sql, int n, const int64_t parameters[])
{
    (void)connection, (void)n, (void)parameters;
    cluster_ask(server, sql);
    return 0;
}

static void begin_outbox(void)
{
    begin();
    cluster_ask(server, "set client_min_messages = error; drop table if exists outbox; alter role tenk connection limit -1");
    schema_add_outbox(&SCHEMA_POSTGRES, run_sql, NULL);
    cluster_ask(server, "alter table outbox owner to tenk");
}

static void open_both(void)
{
    char why[256];
    open_blocking(cluster_url(server));
    ck_assert_int_eq(database_open(&other, &options, why, sizeof why), 0);
}

static void close_both(void)
{
    database_close(other);
    finish_blocking();
}

/* Another client, whose transactions end when the test wants it. */
static PGconn *writer(void)
{
    PGconn *pg = PQconnectdb(cluster_socket_url(server));
    ck_assert_int_eq(PQstatus(pg), CONNECTION_OK);
    return pg;
}

static void says(PGconn *pg, const char *sql)
{
    PGresult *r = PQexec(pg, sql);
    ck_assert_msg(PQresultStatus(r) == PGRES_COMMAND_OK || PQresultStatus(r) == PGRES_TUPLES_OK, "%s", PQerrorMessage(pg));
    PQclear(r);
}

static void inserts(PGconn *pg, const char *data)
{
    char sql[160];
    snprintf(sql, sizeof sql, "insert into outbox (topic, event, data, created_at) values ('a', 'e', '%s', 1)", data);
    says(pg, sql);
}

static void insert_and_notify(PGconn *pg, const char *data)
{
    inserts(pg, data);
    says(pg, "notify outbox");
}

static int publish(const char *data)
{
    value room[OUTBOX_VALUES];
    const db_step step = outbox_step(room, TEXT("a"), TEXT("e"), text_of(data));
    return outcome_now(db_transaction(here, &scratch, NULL, 1, &step));
}

struct sender { database *database; const char *data; int64_t id; };

static void *send_with_key(void *arg)
{
    struct sender *s = arg;
    arena a = { 0 };
    value add[OUTBOX_VALUES], find[OUTBOX_VALUES];
    rows r;
    db *mine = db_new(s->database);
    db_step steps[] = { outbox_step_once(add, TEXT("a"), TEXT("e"), text_of(s->data), TEXT("k")),
                        outbox_step_id(find, TEXT("a"), TEXT("k")) };
    steps[1].out = &r;
    s->id = outcome_now(db_transaction(mine, &a, NULL, 2, steps)) ? 0 : rows_int(&r, 0, 0);
    arena_done(&a);
    outcome_now(db_close(mine));
    db_free(mine);
    return NULL;
}

/* The first to write has not committed when the others come: they have to wait for what becomes of it. */
START_TEST(of_those_who_send_the_same_key_at_once_one_is_published_and_all_learn_its_id)
{
    enum { SENDERS = 6 };
    struct sender s[SENDERS];
    pthread_t threads[SENDERS];
    open_both();
    handed_out *h = handed_out_begin(base, &KEEP_ALL);
    PGconn *first = writer();
    for (int undone = 1; undone >= 0; undone--) {
        says(first, "begin");
        says(first, "insert into outbox (topic, event, data, created_at, key) values ('a', 'e', 'first', 1, 'k')");
        for (int i = 0; i < SENDERS; i++) {
            s[i] = (struct sender){ i % 2 ? base : other, "again", 0 };
            ck_assert_int_eq(pthread_create(&threads[i], NULL, send_with_key, &s[i]), 0);
        }
        wait_for("select count(*) > 1 from pg_stat_activity where wait_event_type = 'Lock'", "t");
        says(first, undone ? "rollback" : "commit");
        for (int i = 0; i < SENDERS; i++)
            pthread_join(threads[i], NULL);
        for (int i = 0; i < SENDERS; i++)
            ck_assert(s[i].id > 0 && s[i].id == s[0].id);
        if (undone)
            cluster_ask(server, "update outbox set key = null");
    }
    handed_out_wait(h, 2);
    ck_assert_str_eq(h->data[0], "again");
    ck_assert_str_eq(h->data[1], "first");
    ck_assert_int_eq(h->ids[1], s[0].id);
    PQfinish(first);
    handed_out_end(h);
    close_both();
}
END_TEST

/* It stands at a gap, and has asked who may still fill it. */
static void wait_until_asked(void)
{
    char since[64], sql[320];
    snprintf(since, sizeof since, "%s", cluster_ask(server, "select clock_timestamp()"));
    for (int i = 0; i < 2; i++) {            /* the first may only have been prepared */
        const char *asked = "";
        snprintf(sql, sizeof sql, "select max(query_start) from pg_stat_activity where application_name = 'tenk'"
                                  " and state = 'idle' and query like '%%virtualtransaction%%' and query_start > '%s'", since);
        while (!*asked)
            asked = cluster_ask(server, sql);
        snprintf(since, sizeof since, "%s", asked);
    }
}

START_TEST(what_is_committed_later_comes_first_if_its_id_is_less)
{
    open_both();
    handed_out *h = handed_out_begin(base, &KEEP_ALL);
    PGconn *first = writer(), *second = writer();
    says(first, "begin");
    inserts(first, "first");
    insert_and_notify(second, "second");
    wait_until_asked();
    ck_assert_int_eq(handed_out_count(h), 0);
    while (outbox_look(h->outbox).lag == 0)
        sched_yield();
    ck_assert_uint_eq(outbox_look(h->outbox).behind, 2);     /* both ids are given, and one of them is there */
    says(first, "commit");
    insert_and_notify(second, "third");
    handed_out_wait(h, 3);
    while (outbox_look(h->outbox).lag > 0)
        sched_yield();
    ck_assert_uint_eq(outbox_look(h->outbox).behind, 0);
    ck_assert_str_eq(h->data[0], "first");
    ck_assert_str_eq(h->data[2], "third");
    PQfinish(first);
    PQfinish(second);
    handed_out_end(h);
    close_both();
}
END_TEST

START_TEST(a_gap_that_was_rolled_back_is_passed_and_so_is_one_whose_owner_has_gone)
{
    open_both();
    handed_out *h = handed_out_begin(base, &KEEP_ALL);
    PGconn *first = writer(), *second = writer(), *third = writer();
    says(first, "begin");
    says(third, "begin");
    inserts(first, "first");
    inserts(third, "third");
    insert_and_notify(second, "second");
    wait_until_asked();
    says(first, "rollback");
    ck_assert_int_eq(handed_out_count(h), 0);
    PQfinish(third);
    handed_out_wait(h, 1);
    insert_and_notify(second, "fourth");
    handed_out_wait(h, 2);
    ck_assert_int_eq(h->ids[0], 3);
    says(first, "begin");                    /* the next one is a gap of its own */
    inserts(first, "fifth");
    insert_and_notify(second, "sixth");
    wait_until_asked();
    ck_assert_int_eq(handed_out_count(h), 2);
    says(first, "commit");
    handed_out_wait(h, 4);
    PQfinish(first);
    PQfinish(second);
    handed_out_end(h);
    close_both();
}
END_TEST

/* Neither one that has written elsewhere, nor one that reads the outbox, nor one that began to write there after the gap. */
START_TEST(a_long_transaction_of_others_holds_up_nothing)
{
    open_both();
    handed_out *h = handed_out_begin(base, &KEEP_ALL);
    PGconn *gone = writer(), *good = writer(), *elsewhere = writer(), *reads = writer(), *later = writer();
    says(elsewhere, "begin; insert into things values (5000, 'long')");
    says(reads, "begin isolation level repeatable read; select * from outbox");
    says(gone, "begin");
    inserts(gone, "gone");
    says(good, "begin");
    inserts(good, "good");
    says(gone, "rollback");
    says(good, "commit; notify outbox");
    handed_out_wait(h, 1);
    says(later, "begin");
    inserts(later, "later");
    says(gone, "begin");
    inserts(gone, "gone");
    says(gone, "rollback");
    insert_and_notify(good, "behind it");
    wait_until_asked();
    says(later, "commit");
    handed_out_wait(h, 3);
    PGconn *const all[] = { gone, good, elsewhere, reads, later };
    for (int i = 0; i < 5; i++)
        PQfinish(all[i]);
    handed_out_end(h);
    close_both();
}
END_TEST

START_TEST(the_next_gap_is_waited_for_no_longer_than_who_wrote_when_both_were_seen)
{
    open_both();
    handed_out *h = handed_out_begin(base, &KEEP_ALL);
    PGconn *first = writer(), *second = writer(), *later = writer();
    says(first, "begin");
    inserts(first, "first");
    says(second, "begin");
    inserts(second, "never");
    insert_and_notify(later, "third");
    wait_until_asked();
    says(later, "begin");
    inserts(later, "later");
    says(first, "commit");
    handed_out_wait(h, 1);
    says(second, "rollback");
    handed_out_wait(h, 2);
    says(later, "commit");
    handed_out_wait(h, 3);
    PQfinish(first);
    PQfinish(second);
    PQfinish(later);
    handed_out_end(h);
    close_both();
}
END_TEST

START_TEST(it_begins_once_nobody_can_write_below_the_newest_row_of_then)
{
    open_both();
    PGconn *first = writer(), *second = writer();
    inserts(second, "of before");
    says(first, "begin");
    inserts(first, "under way");
    inserts(second, "newest");
    handed_out *h = handed_out_start(base, &KEEP_ALL);
    wait_until_asked();
    ck_assert_int_eq(outbox_position(h->outbox), -1);
    inserts(second, "after");
    says(first, "commit");
    handed_out_wait(h, 1);
    ck_assert_str_eq(h->data[0], "after");
    PQfinish(first);
    PQfinish(second);
    handed_out_end(h);
    close_both();
}
END_TEST

START_TEST(what_was_published_while_its_connection_was_gone_comes_once_when_there_is_another)
{
    char data[16];
    log_capture();
    log_set_level(LOG_WARNING);
    open_both();
    handed_out *h = handed_out_begin(base, &KEEP_ALL);
    for (int i = 0; i < 5; i++) {
        snprintf(data, sizeof data, "%d", i);
        ck_assert_int_eq(publish(data), 0);
        terminate(atoi(cluster_ask(server, "select pid from pg_stat_activity where application_name = 'tenk'"
                                           " order by query like '%outbox where id%' desc limit 1")));
        snprintf(data, sizeof data, "%d", i);
        int err;
        while ((err = publish(data)) == ERR_UNCERTAIN || err == UV_ECONNRESET || err == UV_EAGAIN || err == UV_ECONNREFUSED)
            ;
        ck_assert_int_eq(err, 0);
        handed_out_wait(h, atoi(cluster_ask(server, "select count(*) from outbox")));
    }
    ck_assert_int_eq(log_times("has lost rows of the outbox"), 0);
    handed_out_end(h);
    close_both();
}
END_TEST

START_TEST(it_goes_on_after_the_server_has_been_stopped_or_has_crashed)
{
    log_capture();
    open_both();
    handed_out *h = handed_out_begin(base, &KEEP_ALL);
    PGconn *never = writer();
    for (int i = 0; i < 4; i++) {
        PQreset(never);
        says(never, "begin");
        inserts(never, "never");
        cluster_ask(server, "insert into outbox (topic, event, data, created_at) values ('a', 'e', 'good', 1)");
        (i % 2 ? cluster_crash : cluster_stop)(server);
        cluster_start(server);
        while (publish("after"))             /* its connections are found broken first */
            ;
        handed_out_wait(h, 2 * (i + 1));
    }
    PQfinish(never);
    handed_out_end(h);
    close_both();
}
END_TEST

START_TEST(where_the_server_has_lost_rows_it_begins_anew_and_says_so)
{
    log_capture();
    log_set_level(LOG_WARNING);
    open_both();
    handed_out *h = handed_out_begin(base, &KEEP_ALL);
    for (int i = 0; i < 5; i++)
        ck_assert_int_eq(publish("lost"), 0);
    handed_out_wait(h, 5);
    cluster_ask(server, "delete from outbox where id > 2; alter table outbox alter id restart 3");
    terminate_all();
    while (log_times("has lost rows of the outbox") == 0 || outbox_position(h->outbox) != 2)
        sched_yield();
    while (publish("again"))
        ;
    while (handed_out_count(h) < 6)
        sched_yield();
    ck_assert_int_eq(h->ids[5], 3);
    handed_out_end(h);
    close_both();
}
END_TEST

/* It has seen ids that the server gives again: they are not yet settled by what was known of those of before. */
START_TEST(a_gap_of_before_the_server_lost_rows_says_nothing_of_those_after_it)
{
    log_capture();
    open_both();
    handed_out *h = handed_out_begin(base, &KEEP_ALL);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(publish("kept"), 0);
    handed_out_wait(h, 2);
    PGconn *first = writer(), *second = writer();
    says(first, "begin");
    inserts(first, "never");
    for (int i = 0; i < 3; i++)
        insert_and_notify(second, "lost");
    wait_until_asked();
    cluster_ask(server, "alter role tenk connection limit 0");
    terminate_all();
    says(first, "rollback");
    cluster_ask(server, "delete from outbox where id > 2; alter table outbox alter id restart 3");
    says(first, "begin");
    inserts(first, "three");
    inserts(second, "four");
    cluster_ask(server, "alter role tenk connection limit -1");
    wait_until_asked();
    says(first, "commit");
    handed_out_wait(h, 4);
    says(first, "begin");
    inserts(first, "five");
    insert_and_notify(second, "six");
    wait_until_asked();
    ck_assert_int_eq(handed_out_count(h), 4);
    says(first, "commit");
    handed_out_wait(h, 6);
    ck_assert_str_eq(h->data[4], "five");
    PQfinish(first);
    PQfinish(second);
    handed_out_end(h);
    close_both();
}
END_TEST

static int64_t processor_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* How often it asks cannot be seen, but what that costs can: all of this time if it asks without a pause. */
START_TEST(one_that_never_had_a_server_waits_between_its_looks)
{
    enum { LOOKED_AT_MS = 300, MOST_MS = 60 };
    log_capture();
    open_both();
    cluster_stop(server);
    handed_out *h = handed_out_start(base, &KEEP_ALL);
    const int64_t before = processor_ms();
    poll(NULL, 0, LOOKED_AT_MS);
    ck_assert_int_lt(processor_ms() - before, MOST_MS);
    cluster_start(server);
    while (outbox_position(h->outbox) < 0)
        sched_yield();
    handed_out_end(h);
    close_both();
}
END_TEST

START_TEST(without_a_table_it_says_so_and_begins_when_there_is_one)
{
    log_capture();
    open_both();
    cluster_ask(server, "alter table outbox rename to elsewhere");
    handed_out *h = handed_out_start(base, &KEEP_ALL);
    while (!outbox_is_missing(h->outbox))
        sched_yield();
    ck_assert_int_eq(log_times("tenk --init-db adds one"), 1);
    cluster_ask(server, "alter table elsewhere rename to outbox; notify outbox");
    while (outbox_position(h->outbox) < 0)
        sched_yield();
    ck_assert(!outbox_is_missing(h->outbox));
    handed_out_end(h);
    close_both();
}
END_TEST

START_TEST(where_nothing_can_be_heard_it_looks_by_itself)
{
    enum { ROUNDS = 70 };                    /* so many that it would be noticed if it looked once a second */
    options.prepare = false;                 /* as behind a pooler */
    open_both();
    handed_out *h = handed_out_begin(other, &(outbox_options){ .poll_ms = 1 });
    for (int i = 0; i < ROUNDS; i++) {
        ck_assert_int_eq(publish("unheard"), 0);
        handed_out_wait(h, i + 1);
    }
    handed_out_end(h);
    close_both();
}
END_TEST

START_TEST(where_there_is_room_for_one_connection_requests_have_it)
{
    log_capture();
    cluster_ask(server, "alter role tenk connection limit 1");
    open_both();
    handed_out *h = handed_out_begin(base, &KEEP_ALL);
    while (publish("first"))                 /* until it has given up its own */
        ;
    for (int i = 0; i < 20; i++)
        ck_assert_int_eq(publish("more"), 0);
    cluster_ask(server, "alter role tenk connection limit -1");
    handed_out_wait(h, 21);
    handed_out_end(h);
    close_both();
}
END_TEST

/* Each publishes in transactions of which every third fails, at the end, and leaves a gap. */
enum { PUBLISHERS = 6, EACH = 150 };

typedef struct publisher { pthread_t thread; database *d; int number, good; } publisher;

static void *publish_many(void *arg)
{
    static const statement TWICE = { "twice", "insert into things (id, name) values ($1, 'there already')", false };
    publisher *p = arg;
    db *own = db_new(p->d);
    for (int i = 0; i < EACH; i++) {
        arena a = { 0 };
        value room[2][OUTBOX_VALUES], one = integer(1);
        char data[24];
        snprintf(data, sizeof data, "%d:%d", p->number, i);
        const db_step steps[] = { outbox_step(room[0], TEXT("a"), TEXT("e"), text_of(data)),
                                  outbox_step(room[1], TEXT("b"), TEXT("e"), text_of(data)), { &TWICE, 1, &one, NULL } };
        const int err = outcome_now(db_transaction(own, &a, NULL, i % 3 ? 2 : 3, steps));
        ck_assert_int_eq(err, i % 3 ? 0 : DB_EQUERY);
        p->good += !err;
        arena_done(&a);
    }
    ck_assert_int_eq(outcome_now(db_close(own)), 0);
    db_free(own);
    block_trim();
    pool_done_all();
    return NULL;
}

START_TEST(of_many_publishers_in_two_processes_each_process_has_all_in_order_and_none_twice)
{
    publisher all[PUBLISHERS];
    int good = 0;
    log_capture();
    options.connections = 3;
    open_both();
    handed_out *here_too = handed_out_begin(base, &KEEP_ALL), *there = handed_out_begin(other, &KEEP_ALL);
    for (int i = 0; i < PUBLISHERS; i++) {
        all[i] = (publisher){ .d = i % 2 ? other : base, .number = i };
        ck_assert_int_eq(pthread_create(&all[i].thread, NULL, publish_many, &all[i]), 0);
    }
    for (int i = 0; i < PUBLISHERS; i++) {
        pthread_join(all[i].thread, NULL);
        good += all[i].good;
    }
    handed_out_wait(here_too, 2 * good);
    handed_out_wait(there, 2 * good);
    int next[PUBLISHERS] = { 0 };            /* of one publisher, each comes behind the one before */
    for (int i = 0; i < 2 * good; i++) {
        int who, which;
        ck_assert_int_eq(here_too->ids[i], there->ids[i]);
        ck_assert_int_eq(sscanf(there->data[i], "%d:%d", &who, &which), 2);
        ck_assert_int_ge(which, next[who]);
        next[who] = which;
    }
    handed_out_end(here_too);
    handed_out_end(there);
    close_both();
}
END_TEST

/* Listens for a second process, without an outbox. */
static void *keep_listening(void *arg)
{
    while (db_listener_wait(arg, NO_DEADLINE) != UV_ECANCELED)
        ;
    return NULL;
}

START_TEST(a_listener_hears_another_process_by_few_notifications_for_many_commits)
{
    enum { COMMITS = 400 };
    db_listener *mine, *theirs;
    pthread_t thread;
    int notified = 0;
    open_both();
    PGconn *count = writer();
    says(count, "listen outbox");
    ck_assert_int_eq(database_listen(&mine, other, "outbox"), 0);
    ck_assert_int_eq(db_listener_wait(mine, NO_DEADLINE), 0);               /* there is a connection */
    ck_assert(db_listener_hears(mine));
    ck_assert_int_eq(db_listener_wait(mine, deadline_in(1)), UV_ETIMEDOUT);
    ck_assert_int_eq(database_listen(&theirs, base, "outbox"), 0);
    ck_assert_int_eq(pthread_create(&thread, NULL, keep_listening, theirs), 0);
    const uint64_t began = uv_hrtime();
    for (int i = 0; i < COMMITS; i++)
        ck_assert_int_eq(publish("many"), 0);
    const uint64_t ms = (uv_hrtime() - began) / 1000000;
    ck_assert_int_eq(db_listener_wait(mine, NO_DEADLINE), 0);
    db_listener_end(theirs);                 /* what it owes, it has sent, or not: then it was sent shortly before */
    pthread_join(thread, NULL);
    says(count, "select 1");
    for (PGnotify *n; (n = PQnotifies(count)); PQfreemem(n))
        notified++;
    ck_assert_int_ge(notified, 1);
    ck_assert_int_le(notified, (int)(ms / LISTENER_NOTIFY_MS) + 2);
    ck_assert_int_eq(atoi(cluster_ask(server, "select count(*) from outbox")), COMMITS);
    db_listener_close(theirs);
    db_listener_close(mine);
    PQfinish(count);
    close_both();
}
END_TEST

/* There another one would get what it hears. */
START_TEST(a_listener_listens_but_behind_a_pooler_it_does_not)
{
    static const statement CHANNELS = { "channels", "select count(*) from pg_listening_channels()", true, "i" };
    db_listener *mine;
    rows r;
    options.prepare = !_i;
    open_both();
    ck_assert_int_eq(database_listen(&mine, base, "outbox"), 0);
    ck_assert_int_eq(db_listener_wait(mine, NO_DEADLINE), 0);
    ck_assert_int_eq(db_listener_query(mine, &scratch, &r, &CHANNELS, 0, NULL), 0);
    ck_assert_int_eq(rows_int(&r, 0, 0), options.prepare);
    ck_assert(db_listener_hears(mine) == options.prepare);
    db_listener_close(mine);
    close_both();
}
END_TEST

START_TEST(a_listener_tells_others_once_and_does_not_hear_itself)
{
    db_listener *mine;
    int notified = 0;
    open_both();
    PGconn *count = writer();
    says(count, "listen outbox");
    ck_assert_int_eq(database_listen(&mine, base, "outbox"), 0);
    ck_assert_int_eq(db_listener_wait(mine, NO_DEADLINE), 0);
    ck_assert_int_eq(publish("one"), 0);
    ck_assert_int_eq(db_listener_wait(mine, NO_DEADLINE), 0);
    ck_assert_int_eq(db_listener_wait(mine, deadline_in(10 * LISTENER_NOTIFY_MS)), UV_ETIMEDOUT);
    says(count, "select 1");
    for (PGnotify *n; (n = PQnotifies(count)); PQfreemem(n))
        notified++;
    ck_assert_int_le(notified, 1);           /* none, if there was no time for it */
    db_listener_close(mine);
    PQfinish(count);
    close_both();
}
END_TEST

START_TEST(what_is_told_while_there_is_no_connection_is_heard_when_there_is_one)
{
    db_listener *mine;
    log_capture();
    open_both();
    ck_assert_int_eq(database_listen(&mine, other, "outbox"), 0);
    ck_assert_int_eq(db_listener_wait(mine, NO_DEADLINE), 0);
    ck_assert_int_eq(db_listener_wait(mine, deadline_in(1)), UV_ETIMEDOUT);
    terminate_all();
    ck_assert_int_eq(db_listener_wait(mine, NO_DEADLINE), 0);
    ck_assert_uint_eq(db_listener_connections(mine), 2);
    ck_assert(db_listener_hears(mine));
    cluster_ask(server, "notify outbox");
    ck_assert_int_eq(db_listener_wait(mine, NO_DEADLINE), 0);
    cluster_ask(server, "notify something_else");
    ck_assert_int_eq(db_listener_wait(mine, deadline_in(5)), UV_ETIMEDOUT);
    db_listener_close(mine);
    close_both();
}
END_TEST

START_TEST(old_rows_are_pruned_in_both_processes_but_never_the_newest)
{
    const outbox_options few = { .poll_ms = 20, .keep = 10 }, fresh = { .poll_ms = 20, .keep_ms = 3600 * 1000 };
    open_both();
    cluster_ask(server, "insert into outbox (topic, event, data, created_at)"
                        " select 'a', 'e', i, extract(epoch from now())::int8 - 7200 from generate_series(1, 3500) i");
    handed_out *one = handed_out_start(base, &few), *two = handed_out_start(other, &few);
    wait_for("select count(*) <= 11 and min(id) >= 3490 and max(id) = 3500 from outbox", "t");
    handed_out_end(one);
    handed_out_end(two);
    one = handed_out_begin(base, &fresh);
    wait_for("select count(*) = 1 and max(id) = 3500 from outbox", "t");
    ck_assert_int_eq(publish("after"), 0);
    handed_out_wait(one, 1);
    handed_out_end(one);
    close_both();
}
END_TEST

Suite *postgres_outbox_suite(void)
{
    Suite *s = suite_create("postgres_outbox");
    TCase *t = tcase_create("all");
    tcase_add_unchecked_fixture(t, make_server, free_server);
    tcase_add_checked_fixture(t, begin_outbox, NULL);
    tcase_add_test(t, what_is_committed_later_comes_first_if_its_id_is_less);
    tcase_add_test(t, a_gap_that_was_rolled_back_is_passed_and_so_is_one_whose_owner_has_gone);
    tcase_add_test(t, of_those_who_send_the_same_key_at_once_one_is_published_and_all_learn_its_id);
    tcase_add_test(t, a_long_transaction_of_others_holds_up_nothing);
    tcase_add_test(t, the_next_gap_is_waited_for_no_longer_than_who_wrote_when_both_were_seen);
    tcase_add_test(t, it_begins_once_nobody_can_write_below_the_newest_row_of_then);
    tcase_add_test(t, what_was_published_while_its_connection_was_gone_comes_once_when_there_is_another);
    tcase_add_test(t, it_goes_on_after_the_server_has_been_stopped_or_has_crashed);
    tcase_add_test(t, where_the_server_has_lost_rows_it_begins_anew_and_says_so);
    tcase_add_test(t, a_gap_of_before_the_server_lost_rows_says_nothing_of_those_after_it);
    tcase_add_test(t, one_that_never_had_a_server_waits_between_its_looks);
    tcase_add_test(t, without_a_table_it_says_so_and_begins_when_there_is_one);
    tcase_add_test(t, where_nothing_can_be_heard_it_looks_by_itself);
    tcase_add_test(t, where_there_is_room_for_one_connection_requests_have_it);
    tcase_add_test(t, of_many_publishers_in_two_processes_each_process_has_all_in_order_and_none_twice);
    tcase_add_test(t, a_listener_hears_another_process_by_few_notifications_for_many_commits);
    tcase_add_loop_test(t, a_listener_listens_but_behind_a_pooler_it_does_not, 0, 2);
    tcase_add_test(t, a_listener_tells_others_once_and_does_not_hear_itself);
    tcase_add_test(t, what_is_told_while_there_is_no_connection_is_heard_when_there_is_one);
    tcase_add_test(t, old_rows_are_pruned_in_both_processes_but_never_the_newest);
    suite_add_tcase(s, t);
    return s;
}
