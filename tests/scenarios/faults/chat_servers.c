/* chat_servers.c - one room at two servers with one database: what is said reaches all, once and in order, though a server is
 * killed, or its database is cut off. */
#include "tests/scenarios/scenarios.h"

#include "tests/scenarios/support/chat.h"
#include "tests/scenarios/support/postgres.h"
#include "tests/scenarios/support/proxy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CLOSE = FRAME_END | FRAME_CLOSE };

static server pair[2];

static void start_pair(void)
{
    for (int i = 0; i < 2; i++) {
        server_start_on_postgres("chat-servers", NULL);
        pair[i] = here;
    }
}

/* The first of them has a network between itself and the database, whose connections are soon found to be broken. */
static void start_pair_with_network(const char *attributes)
{
    char url[256];
    snprintf(url, sizeof url, "DATABASE_URL=postgresql://tenk@127.0.0.1:%d/tenk?sslmode=disable&gssencmode=disable%s",
             proxy_to(cluster_port(postgres())), attributes);
    proxy_mark("listen \"");
    server_start("chat-servers", url, "TENK_DATABASE_CONNECT_TIMEOUT=500ms", "TENK_DATABASE_LINE_TIMEOUT=500ms", NULL);
    pair[0] = here;
    server_start_on_postgres("chat-servers", NULL);
    pair[1] = here;
}

static void stop_pair(void)
{
    for (int i = 0; i < 2; i++) {
        here = pair[i];
        server_stop();
    }
}

static client *enter_at(int which, const char *room, const char *name, long long after)
{
    here = pair[which];
    return chat_enter_and_wait(room, name, after);
}

START_TEST(what_is_said_at_one_server_is_heard_at_the_other_and_so_is_who_is_there)
{
    start_pair();
    const char *room = chat_new_room();
    client *ann = enter_at(0, room, "Ann", 0), *bob = enter_at(1, room, "Bob", 0);
    chat_expect_here(ann, "Bob", "");
    chat_expect_here(bob, "Bob", "");
    chat_say(ann, "k1", "from the one");
    const int64_t id = chat_stored(ann, "k1");
    ck_assert_int_eq(chat_expect_said(bob, "Ann", "from the one"), id);
    chat_say(bob, "k2", "from the other");
    ck_assert_int_gt(chat_stored(bob, "k2"), id);
    chat_expect_said(ann, "Ann", "from the one");
    chat_expect_said(ann, "Bob", "from the other");
    frame_send(bob, CLOSE, "\x03\xe9", 2);
    chat_expect_here(ann, "", "");
    client_free(ann);
    client_free(bob);
    stop_pair();
}
END_TEST

enum { SPEAKERS = 12, EACH = 16, ALL = SPEAKERS * EACH };

typedef struct listener {
    client *c;
    int     count;
    int64_t last, ids[ALL];
    int     said[ALL];                       /* by whom, and its number: speaker * EACH + number */
} listener;

static void hear_one(listener *l, const json_t *event)
{
    if (!chat_is(event, "message"))
        return;
    ck_assert_int_lt(l->count, ALL);
    l->last = l->ids[l->count] = number_of(event, "id");
    l->said[l->count++] = atoi(chat_data(event, "text"));
}

/* Up to the end of its connection, or until it has so many. */
static void hear_until(listener *l, int count)
{
    json_t *event;
    while (l->count < count && (event = chat_next(l->c))) {
        hear_one(l, event);
        json_decref(event);
    }
}

static void hear_all(listener *l) { hear_until(l, ALL); }

typedef struct speaker {
    client *c;
    bool    kept[EACH];
} speaker;

static void speak(const speaker *s, int who, int number)
{
    char text[16];
    if (s->kept[number])
        return;
    snprintf(text, sizeof text, "%d", who * EACH + number);
    chat_say(s->c, text, text);
}

static void learn_one(speaker *s, int who, const json_t *event)
{
    const char *key = chat_data(event, "key");
    if (chat_is(event, "stored"))
        s->kept[atoi(key) - who * EACH] = true;
    if (chat_is(event, "refused"))           /* it has been too fast, or could not be kept just then */
        chat_say(s->c, key, key);
}

static void learn_that(speaker *s, int who, int number)
{
    while (!s->kept[number]) {
        json_t *event = chat_next(s->c);
        ck_assert_ptr_nonnull(event);
        learn_one(s, who, event);
        json_decref(event);
    }
}

/* Up to the end of its connection, or until all of its messages are kept. */
static void learn(speaker *s, int who)
{
    for (;;) {
        int kept = 0;
        for (int i = 0; i < EACH; i++)
            kept += s->kept[i];
        json_t *event = kept < EACH ? chat_next(s->c) : NULL;
        if (!event)
            return;
        learn_one(s, who, event);
        json_decref(event);
    }
}

/* Of each speaker each message, and all listeners had them by the same ids, in their order. */
static void expect_all_once(const listener *const listeners[], int count)
{
    const listener *l = listeners[0];
    bool heard[ALL] = { false };
    for (int i = 0; i < ALL; i++) {
        ck_assert_msg(!heard[l->said[i]], "%d comes twice", l->said[i]);
        heard[l->said[i]] = true;
        ck_assert(i == 0 || l->ids[i] > l->ids[i - 1]);
        for (int k = 1; k < count; k++)
            ck_assert_int_eq(listeners[k]->ids[i], l->ids[i]);
    }
}

/* In the middle of it one server is killed, and its clients go on at the other, by the ids and with the keys that they have. */
START_TEST(one_killed_under_publishing_costs_nobody_a_message_and_nobody_has_one_twice)
{
    start_pair();
    const char *room = chat_new_room();
    static listener at[2], late;
    static speaker speakers[SPEAKERS];
    for (int i = 0; i < 2; i++)
        at[i].c = enter_at(i, room, "listener", 0);
    for (int who = 0; who < SPEAKERS; who++)
        speakers[who].c = enter_at(who % 4 == 0, room, "speaker", -1);
    for (int number = 0; number < EACH; number++) {
        for (int who = 0; who < SPEAKERS; who++)
            speak(&speakers[who], who, number);
        if (number == EACH / 2) {
            here = pair[0];
            json_decref(chat_await(speakers[1].c, "stored"));       /* it is in the middle of it */
            speakers[1].kept[0] = true;
            server_kill();
        }
    }
    for (int who = 0; who < SPEAKERS; who++)
        if (who % 4 != 0)
            learn(&speakers[who], who);
    hear_all(&at[0]);
    ck_assert_int_lt(at[0].count, ALL);
    client_free(at[0].c);
    here = pair[1];
    at[0].c = chat_enter(room, "listener", at[0].last);
    for (int who = 0; who < SPEAKERS; who++) {
        if (who % 4 != 0) {
            client_free(speakers[who].c);
            speakers[who].c = enter_at(1, room, "speaker", -1);
            for (int number = 0; number < EACH; number++)
                speak(&speakers[who], who, number);
        }
        learn(&speakers[who], who);
        client_free(speakers[who].c);
    }
    hear_all(&at[0]);
    hear_all(&at[1]);
    late.c = chat_enter(room, "listener", 0);
    hear_all(&late);
    expect_all_once((const listener *[]){ &at[1], &at[0], &late }, 3);
    client_free(at[0].c);
    client_free(at[1].c);
    client_free(late.c);
    here = pair[1];
    server_stop();
}
END_TEST

/* What becomes of the network between one of the servers and the database. */
typedef enum break_kind { CUT_BRIEFLY, CUT_FOR_LONG, RESET, LISTENING_CUT, LISTENING_RESET, BREAKS } break_kind;

static void break_network(break_kind kind)
{
    const proxied which = kind >= LISTENING_CUT ? PROXIED_MARKED : PROXIED_ALL;
    if (which == PROXIED_MARKED)             /* it may be late to connect: nobody waits for it */
        ck_assert(eventually(10, proxy_has_marked()));
    (kind == RESET || kind == LISTENING_RESET ? proxy_reset : proxy_cut)(which);
}

/* When it has been seen to be broken. Where only the connection that listens is, nobody mends it: there is another one. */
static void mend_network(break_kind kind)
{
    here = pair[0];
    if (kind == CUT_FOR_LONG)                /* of an outage the log has what is found out first */
        ck_assert(eventually(10, server_log_has("lost a connection") || server_log_has("cannot connect:")));
    if (kind != CUT_BRIEFLY)
        ck_assert(server_says("lost the connection that listens"));
    if (kind != LISTENING_CUT)
        proxy_mend();
}

static int who_is_at(int which) { return which ? SPEAKERS / 2 : 0; }

static void speak_at(int which, speaker speakers[], int number)
{
    for (int who = who_is_at(which); who < who_is_at(which) + SPEAKERS / 2; who++)
        speak(&speakers[who], who, number);
}

static void learn_at(int which, speaker speakers[], int number)
{
    for (int who = who_is_at(which); who < who_is_at(which) + SPEAKERS / 2; who++)
        learn_that(&speakers[who], who, number);
}

static void go_on_at(listener *l, int which, const char *room)
{
    client_free(l->c);
    here = pair[which];
    l->c = chat_enter(room, "listener", l->last);
}

/* Of those who listen one is at each server all the time, and one goes to the other server when its own has lost the
 * database, and comes back. Who speaks at the server whose network is whole is heard there meanwhile. */
START_TEST(a_network_that_breaks_and_comes_back_costs_nobody_a_message_and_nobody_has_one_twice)
{
    const break_kind kind = (break_kind)_i;
    start_pair_with_network(kind == CUT_BRIEFLY ? "" : "&tcp_user_timeout=400");
    const char *room = chat_new_room();
    static listener at[2], moves;
    static speaker speakers[SPEAKERS];
    for (int i = 0; i < 2; i++)
        at[i].c = enter_at(i, room, "listener", 0);
    moves.c = enter_at(0, room, "listener", 0);
    for (int who = 0; who < SPEAKERS; who++)
        speakers[who].c = enter_at(who >= who_is_at(1), room, "speaker", -1);
    int number = 0;
    for (; number < EACH / 4; number++)
        for (int i = 0; i < 2; i++)
            speak_at(i, speakers, number);
    learn_at(0, speakers, 0);
    hear_until(&moves, SPEAKERS / 2);
    break_network(kind);
    for (; number < EACH / 2; number++)
        for (int i = 0; i < 2; i++)
            speak_at(i, speakers, number);
    learn_at(1, speakers, EACH / 2 - 1);
    hear_until(&at[1], SPEAKERS / 2 * (EACH / 2));
    go_on_at(&moves, 1, room);
    hear_until(&moves, SPEAKERS / 2 * (EACH / 2));
    mend_network(kind);
    for (; number < EACH; number++)
        for (int i = 0; i < 2; i++)
            speak_at(i, speakers, number);
    learn_at(0, speakers, EACH / 2);
    go_on_at(&moves, 0, room);
    for (int who = 0; who < SPEAKERS; who++)
        learn(&speakers[who], who);
    hear_all(&at[0]);
    hear_all(&at[1]);
    hear_all(&moves);
    expect_all_once((const listener *[]){ &at[1], &at[0], &moves }, 3);
    for (int who = 0; who < SPEAKERS; who++)
        client_free(speakers[who].c);
    client_free(at[0].c);
    client_free(at[1].c);
    client_free(moves.c);
    stop_pair();
}
END_TEST

/* Its row is written, its end never comes, and the database is not told that its client is gone: ids behind it wait for it. */
START_TEST(a_transaction_cut_off_half_way_holds_up_others_for_seconds_and_not_for_hours)
{
    start_pair_with_network("&tcp_user_timeout=400");
    const char *room = chat_new_room();
    client *ann = enter_at(0, room, "Ann", -1), *bob = enter_at(1, room, "Bob", 0);
    chat_say(ann, "k0", "whole");            /* by now the statements are prepared */
    chat_stored(ann, "k0");
    chat_expect_said(bob, "Ann", "whole");
    proxy_mark("half of it");
    proxy_cut_within_marked();
    chat_say(ann, "k1", "half of it");
    ck_assert(eventually(10, proxy_is_cut()));
    cluster_wait(postgres(), "select count(*) > 0 from pg_locks where relation = 'outbox'::regclass"
                             " and mode = 'RowExclusiveLock'", "t");
    chat_say(bob, "k2", "behind it");
    chat_stored(bob, "k2");
    chat_expect_said(bob, "Bob", "behind it");
    proxy_mend();
    for (bool kept = false; !kept;) {
        json_t *event = chat_next(ann);
        ck_assert_ptr_nonnull(event);
        kept = chat_is(event, "stored");
        if (chat_is(event, "refused"))
            chat_say(ann, "k1", "half of it");
        json_decref(event);
    }
    chat_expect_said(bob, "Ann", "half of it");
    client_free(ann);
    client_free(bob);
    stop_pair();
}
END_TEST

Suite *chat_servers_suite(void)
{
    Suite *s = suite_create("chat_servers");
    TCase *t = postgres_theme(s, "chat-servers");
    tcase_add_test(t, what_is_said_at_one_server_is_heard_at_the_other_and_so_is_who_is_there);
    tcase_add_test(t, one_killed_under_publishing_costs_nobody_a_message_and_nobody_has_one_twice);
    tcase_add_loop_test(t, a_network_that_breaks_and_comes_back_costs_nobody_a_message_and_nobody_has_one_twice, 0, BREAKS);
    tcase_add_test(t, a_transaction_cut_off_half_way_holds_up_others_for_seconds_and_not_for_hours);
    return s;
}
