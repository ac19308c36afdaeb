/* chat.c - /chat: what is said reaches all in a room, once and in order, whatever breaks; on one server, and on two with one
 * database. */
#include "scenarios.h"

#include "tests/scenarios/support/frames.h"
#include "tests/scenarios/support/json.h"
#include "tests/scenarios/support/postgres.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FORM "application/x-www-form-urlencoded"

enum { TEXT = FRAME_END | FRAME_TEXT, CLOSE = FRAME_END | FRAME_CLOSE };

static void on_sqlite(void)   { server_start("chat-sqlite", NULL); }
static void on_postgres(void) { server_start_on_postgres("chat-postgres", NULL); }

/* Rooms of their own: the database is one for all tests. */
static const char *a_room(void)
{
    static char room[32];
    static int rooms;
    snprintf(room, sizeof room, "room-%d-%d", (int)getpid(), ++rooms);
    return room;
}

/* after -1: nothing of before. */
static client *enter(const char *room, const char *name, long long after)
{
    char handshake[512], resume[40] = "";
    if (after >= 0)
        snprintf(resume, sizeof resume, "&after=%lld", after);
    snprintf(handshake, sizeof handshake, HANDSHAKE_OF("/ws/chat/%s?name=%s%s", ""), room, name, resume);
    return websocket_open(handshake);
}

/* The next event; NULL: there is none, it is the end. */
static json_t *next_event(client *c)
{
    const frame *f = frame_next(c);
    if (f->first != TEXT)
        return NULL;
    json_t *event = json_loadb(f->bytes, f->length, 0, NULL);
    ck_assert_msg(event && json_is_string(json_object_get(event, "event")), "%s", f->bytes);
    return event;
}

static bool is_called(const json_t *event, const char *name)
{
    return strcmp(json_string_value(json_object_get(event, "event")), name) == 0;
}

/* The next of that name, and what comes before it is passed over, but for one of the name instead. */
static json_t *await_event(client *c, const char *name)
{
    json_t *event;
    while ((event = next_event(c)) && !is_called(event, name))
        json_decref(event);
    ck_assert_msg(event, "no %s comes", name);
    return event;
}

/* The next that is not about who is here, which must be of that name. */
static json_t *expect_event(client *c, const char *name)
{
    json_t *event;
    while ((event = next_event(c)) && is_called(event, "here"))
        json_decref(event);
    ck_assert_msg(event && is_called(event, name), "no %s comes, but %s", name,
                  event ? json_string_value(json_object_get(event, "event")) : "the end");
    return event;
}

static const char *data_of(const json_t *event, const char *member)
{
    const char *value = json_string_value(json_object_get(json_object_get(event, "data"), member));
    return value ? value : "";
}

/* What was said before, it does not hear. */
static client *enter_and_wait(const char *room, const char *name, long long after)
{
    client *c = enter(room, name, after);
    json_decref(await_event(c, "ready"));
    return c;
}

static void say(client *c, const char *key, const char *said)
{
    json_t *message = json_pack("{s:s, s:s}", "key", key, "text", said);
    char *bytes = json_dumps(message, 0);
    frame_say(c, TEXT, bytes);
    free(bytes);
    json_decref(message);
}

static int64_t stored(client *c, const char *key)
{
    json_t *event = await_event(c, "stored");
    const int64_t id = number_of(event, "id");
    ck_assert_str_eq(data_of(event, "key"), key);
    json_decref(event);
    return id;
}

static int64_t expect_said(client *c, const char *name, const char *said)
{
    json_t *event = await_event(c, "message");
    ck_assert_str_eq(data_of(event, "name"), name);
    ck_assert_str_eq(data_of(event, "text"), said);
    const int64_t id = number_of(event, "id");
    json_decref(event);
    return id;
}

static answer say_by_form(const char *room, const char *fields)
{
    char path[64];
    snprintf(path, sizeof path, "/chat/%s", room);
    return post(path, FORM, fields);
}

static answer page_of(const char *room)
{
    char path[64];
    snprintf(path, sizeof path, "/chat/%s", room);
    return get_as(path, "text/html");
}

START_TEST(what_is_said_reaches_all_in_the_room_and_its_sender_learns_its_id)
{
    const char *room = strdup(a_room());
    client *ann = enter_and_wait(room, "Ann", -1), *bob = enter_and_wait(room, "Bob", 0);
    client *away = enter_and_wait(a_room(), "Cleo", 0);
    say(ann, "k1", "Hello \"Bob\" <b>\xe2\x82\xac</b>");
    const int64_t id = stored(ann, "k1");
    ck_assert_int_eq(expect_said(bob, "Ann", "Hello \"Bob\" <b>\xe2\x82\xac</b>"), id);
    say(bob, "k2", "Hello Ann");
    ck_assert_int_gt(stored(bob, "k2"), id);
    json_t *event;
    while (!is_called(event = next_event(ann), "message") || strcmp(data_of(event, "name"), "Ann") == 0)
        json_decref(event);
    ck_assert_str_eq(data_of(event, "text"), "Hello Ann");
    json_decref(event);
    say(away, "k1", "Is anybody here?");
    expect_said(away, "Cleo", "Is anybody here?");
    client_free(ann);
    client_free(bob);
    client_free(away);
    free((char *)room);
}
END_TEST

START_TEST(a_key_that_is_sent_again_is_kept_once_whoever_sends_it_and_how)
{
    const char *room = a_room();
    client *c = enter_and_wait(room, "Ann", -1);
    say(c, "same", "once");
    const int64_t id = stored(c, "same");
    say(c, "same", "once");
    ck_assert_int_eq(stored(c, "same"), id);
    client_free(c);
    c = enter_and_wait(room, "Ann", id);
    say(c, "same", "once");
    ck_assert_int_eq(stored(c, "same"), id);
    ck_assert_int_eq(say_by_form(room, "name=Ann&text=once&key=same").status, 303);
    say(c, "other", "twice");
    ck_assert_int_gt(stored(c, "other"), id);
    ck_assert(eventually(10, occurrences(page_of(room).body, "<p>twice</p>") == 1));
    ck_assert_int_eq(occurrences(page_of(room).body, "<p>once</p>"), 1);
    client_free(c);
}
END_TEST

/* From memory, from the outbox, and from both. */
START_TEST(who_comes_again_gets_what_it_has_missed_in_order_and_once)
{
    enum { MANY = 320 };                     /* more than a topic keeps, and than are read at once */
    static int64_t ids[MANY];
    const char *room = a_room();
    char fields[64], text[16];
    client *c = enter_and_wait(room, "Ann", 0);
    for (int i = 0; i < MANY; i++) {
        snprintf(fields, sizeof fields, "name=Ann&key=k%d&text=%d", i, i);
        ck_assert_int_eq(say_by_form(room, fields).status, 303);
    }
    for (int i = 0; i < MANY; i++) {
        snprintf(text, sizeof text, "%d", i);
        ids[i] = expect_said(c, "Ann", text);
        ck_assert(i == 0 || ids[i] > ids[i - 1]);
    }
    client_free(c);
    static const int froms[] = { -1, 0, 5, 110, MANY - 20, MANY - 1 };
    for (size_t n = 0; n < sizeof froms / sizeof *froms; n++) {
        c = enter(room, "Ann", froms[n] < 0 ? 0 : ids[froms[n]]);
        for (int i = froms[n] + 1; i < MANY; i++) {
            snprintf(text, sizeof text, "%d", i);
            ck_assert_int_eq(expect_said(c, "Ann", text), ids[i]);
        }
        json_t *ready = expect_event(c, "ready");            /* and nothing once more before it, nor after it */
        ck_assert_int_eq(number_of(ready, "id"), ids[MANY - 1]);
        json_decref(ready);
        say(c, "not a new one", "");
        json_decref(expect_event(c, "refused"));
        client_free(c);
    }
}
END_TEST

START_TEST(what_cannot_be_said_is_refused_in_words)
{
    static char huge[3010];
    memset(huge, 'x', sizeof huge - 1);
    client *c = enter_and_wait(a_room(), "Ann", 0);
    const struct { const char *key, *said, *why; } wrong[] = {
        { "k1", "", "empty" }, { "k2", huge, "too long" }, { "", "no key", "key" }, { "k3", "\x1b[2J", "UTF-8 text" },
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        say(c, wrong[i].key, wrong[i].said);
        json_t *event = await_event(c, "refused");
        ck_assert_str_eq(data_of(event, "key"), wrong[i].key);
        ck_assert_msg(strstr(data_of(event, "why"), wrong[i].why), "%s", data_of(event, "why"));
        ck_assert_ptr_null(json_object_get(json_object_get(event, "data"), "again"));
        json_decref(event);
    }
    static const char *const garbage[] = { "", "{", "[]", "7", "{\"key\":1,\"text\":2}", "{\"key\":\"k\"}" };
    for (size_t i = 0; i < sizeof garbage / sizeof *garbage; i++) {
        frame_say(c, TEXT, garbage[i]);
        json_decref(await_event(c, "refused"));
    }
    client_free(c);
    c = enter_and_wait(a_room(), "", 0);     /* it only listens */
    say(c, "k", "hello");
    json_t *event = await_event(c, "refused");
    ck_assert_ptr_nonnull(strstr(data_of(event, "why"), "who you are"));
    json_decref(event);
    client_free(c);
}
END_TEST

START_TEST(who_is_too_fast_is_told_when_to_try_again)
{
    enum { MANY = 40 };
    client *c = enter_and_wait(a_room(), "Ann", -1);
    char key[16];
    int kept = 0, refused = 0;
    for (int i = 0; i < MANY; i++) {
        snprintf(key, sizeof key, "k%d", i);
        say(c, key, "quick");
    }
    while (kept + refused < MANY) {
        json_t *event = next_event(c);
        ck_assert_ptr_nonnull(event);
        kept += is_called(event, "stored");
        if (is_called(event, "refused")) {
            const int64_t again = number_of(json_object_get(event, "data"), "again");
            ck_assert(again > 0 && again <= 250);
            snprintf(key, sizeof key, "%s", data_of(event, "key"));
            refused++;
        }
        json_decref(event);
    }
    ck_assert_int_ge(kept, 20);
    ck_assert(refused > 0 || run_slowed());
    for (bool done = refused == 0; !done;) {
        say(c, key, "quick");
        json_t *event = next_event(c);
        while (!is_called(event, "stored") && !is_called(event, "refused")) {
            json_decref(event);
            event = next_event(c);
        }
        done = is_called(event, "stored");
        json_decref(event);
    }
    client_free(c);
}
END_TEST

/* Until somebody says that exactly these are here. */
static void expect_here(client *c, const char *names, const char *server)
{
    for (bool found = false; !found;) {
        json_t *event = await_event(c, "here"), *each;
        char said[64] = "";
        size_t i;
        json_array_foreach(json_object_get(json_object_get(event, "data"), "names"), i, each) {
            strcat(said, i ? "," : "");
            strcat(said, json_string_value(each));
        }
        found = strcmp(said, names) == 0 && strcmp(data_of(event, "server"), server) != 0;
        json_decref(event);
    }
}

START_TEST(who_comes_and_goes_is_told)
{
    const char *room = a_room();
    client *ann = enter(room, "Ann", -1);
    client_set_timeout(ann, 30);
    expect_here(ann, "Ann", "");
    client *bob = enter(room, "Bob", -1), *listener = enter(room, "", -1);
    expect_here(bob, "Bob,Ann", "");
    expect_here(ann, "Bob,Ann", "");
    expect_here(listener, "Bob,Ann", "");
    ck_assert(occurrences(page_of(room).body, "<li>Ann</li>") == 1 && occurrences(page_of(room).body, "<li>Bob</li>") == 1);
    frame_send(bob, CLOSE, "\x03\xe9", 2);
    expect_here(ann, "Ann", "");
    client *cleo = enter(room, "Cleo", -1);
    expect_here(ann, "Cleo,Ann", "");
    client_reset(cleo);                      /* without a word */
    expect_here(ann, "Ann", "");
    client_free(ann);
    client_free(bob);
    client_free(listener);
}
END_TEST

START_TEST(without_scripts_a_form_and_a_page_are_enough)
{
    const char *room = a_room();
    char part[128];
    const answer a = say_by_form(room, "name=Z%C3%B6e&text=%3Cscript%3Ealert(1)%3C/script%3E%0Atwo&key=k%221");
    ck_assert_int_eq(a.status, 303);
    snprintf(part, sizeof part, "/chat/%s?name=Z%%C3%%B6e", room);
    ck_assert(header_is(&a, "Location", part));
    const answer page = get_as(part, "text/html");
    expect(page, 200, "text/html");
    expect_body(page, "&lt;script&gt;alert(1)&lt;/script&gt;\ntwo");
    expect_body(page, "value=\"Z\u00f6e\"");
    expect_body(page, "data-key=\"k&quot;1\"");
    ck_assert_ptr_null(strstr(page.body, "<script>"));
    snprintf(part, sizeof part, "href=\"/chat/%s\"", room);
    expect_body(get_as("/chat", "text/html"), part);
    expect_body(get_as("/chat", "text/html"), "href=\"/chat/lobby\"");
    const answer opened = get_as("/chat?room=new-room", "text/html");
    ck_assert(opened.status == 303 && header_is(&opened, "Location", "/chat/new-room"));
    expect_body(get_as("/chat/new-room", "text/html"), "Nothing has been said here lately.");
}
END_TEST

START_TEST(what_is_no_room_name_or_message_is_answered_so)
{
    expect_problem(get("/chat/Lobby"), 404);
    expect_problem(get("/chat/a_b"), 404);
    expect_problem(get("/chat/000000000011111111112222222222333"), 404);
    expect_problem(get("/chat?room=No+room"), 400);
    expect_problem(post("/chat/Lobby", FORM, "name=A&text=t&key=k"), 404);
    expect_problem(post("/chat/lobby", "text/plain", "name=A&text=t&key=k"), 415);
    expect_problem(post("/chat/lobby", FORM, "name=A&text=t"), 422);
    expect_problem(post("/chat/lobby", FORM, "name=&text=t&key=k"), 422);
    expect_problem(post("/chat/lobby", FORM, "name=A&text=%00&key=k"), 422);
    expect_problem(post("/chat/lobby", FORM, "name=A&text=%ff&key=k"), 422);
    static const struct { const char *path; int status; } sockets[] = {
        { "/ws/chat/Lobby?name=A", 404 }, { "/ws/chat/lobby?name=%0a", 422 }, { "/ws/chat/lobby?after=x", 400 },
        { "/ws/chat/lobby?after=-2", 400 },
    };
    char handshake[400];
    for (size_t i = 0; i < sizeof sockets / sizeof *sockets; i++) {
        snprintf(handshake, sizeof handshake, HANDSHAKE_OF("%s", "Connection: close\r\n"), sockets[i].path);
        client *c = client_new();
        client_say(c, handshake);
        ck_assert_int_eq(client_answer(c).status, sockets[i].status);
        client_free(c);
    }
    expect(get("/ws/chat/lobby"), 426, NULL);
}
END_TEST

/* What is told of a reader who has fallen behind what the topic keeps comes from the outbox. */
START_TEST(who_reads_slowly_gets_all_in_the_end)
{
    enum { MANY = 1800, LENGTH = 2900 };     /* twice as many bytes as JSON: more than the kernel holds for a client */
    static char fields[LENGTH + 64];
    server_start("chat-slow", "TENK_TOPICS_KEEP=4", "TENK_LIMITS_OUTPUT=16KiB", NULL);
    const char *room = a_room();
    client *slow = client_small(4096);
    char handshake[256], text[16];
    snprintf(handshake, sizeof handshake, HANDSHAKE_OF("/ws/chat/%s?name=S&after=0", ""), room);
    client_say(slow, handshake);
    ck_assert_int_eq(client_answer_to_head(slow).status, 101);
    json_decref(await_event(slow, "ready"));
    for (int i = 0; i < MANY; i++) {
        const int length = snprintf(fields, sizeof fields, "name=Ann&key=%d&text=%d.", i, i);
        memset(fields + length, '"', LENGTH);
        ck_assert_int_eq(say_by_form(room, fields).status, 303);
    }
    for (int i = 0; i < MANY; i++) {
        json_t *event = await_event(slow, "message");
        snprintf(text, sizeof text, "%d.", i);
        ck_assert_msg(strncmp(data_of(event, "text"), text, strlen(text)) == 0, "%d: %.8s", i, data_of(event, "text"));
        json_decref(event);
    }
    client_free(slow);
    server_stop();
}
END_TEST

START_TEST(a_server_that_stops_closes_rooms_with_1001)
{
    server_start("chat-stops", NULL);
    client *c = enter_and_wait("lobby", "Ann", -1);
    server_signal(SIGTERM);
    const frame *f;
    while ((f = frame_next(c))->first == TEXT)
        ;
    ck_assert_int_eq(f->first, CLOSE);
    ck_assert_mem_eq(f->bytes, "\x03\xe9", 2);
    frame_send(c, CLOSE, "\x03\xe9", 2);
    ck_assert(client_let_go(c));
    ck_assert_int_eq(server_wait(), 0);
    client_free(c);
}
END_TEST

/* Two servers on one database. */

static server pair[2];

static void start_pair(void)
{
    for (int i = 0; i < 2; i++) {
        server_start_on_postgres("chat-pair", NULL);
        pair[i] = here;
    }
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
    return enter_and_wait(room, name, after);
}

START_TEST(what_is_said_at_one_server_is_heard_at_the_other_and_so_is_who_is_there)
{
    start_pair();
    const char *room = a_room();
    client *ann = enter_at(0, room, "Ann", 0), *bob = enter_at(1, room, "Bob", 0);
    expect_here(ann, "Bob", "");
    expect_here(bob, "Bob", "");
    say(ann, "k1", "from the one");
    const int64_t id = stored(ann, "k1");
    ck_assert_int_eq(expect_said(bob, "Ann", "from the one"), id);
    say(bob, "k2", "from the other");
    ck_assert_int_gt(stored(bob, "k2"), id);
    expect_said(ann, "Ann", "from the one");
    expect_said(ann, "Bob", "from the other");
    frame_send(bob, CLOSE, "\x03\xe9", 2);
    expect_here(ann, "", "");
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
    if (!is_called(event, "message"))
        return;
    ck_assert_int_lt(l->count, ALL);
    l->last = l->ids[l->count] = number_of(event, "id");
    l->said[l->count++] = atoi(data_of(event, "text"));
}

/* Up to the end of its connection, or until it has all. */
static void hear_all(listener *l)
{
    json_t *event;
    while (l->count < ALL && (event = next_event(l->c))) {
        hear_one(l, event);
        json_decref(event);
    }
}

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
    say(s->c, text, text);
}

/* Up to the end of its connection, or until all of its messages are kept. */
static void learn(speaker *s, int who)
{
    for (;;) {
        int kept = 0;
        for (int i = 0; i < EACH; i++)
            kept += s->kept[i];
        json_t *event = kept < EACH ? next_event(s->c) : NULL;
        if (!event)
            return;
        if (is_called(event, "stored"))
            s->kept[atoi(data_of(event, "key")) - who * EACH] = true;
        if (is_called(event, "refused"))     /* it has been too fast, or could not be kept just then */
            say(s->c, data_of(event, "key"), data_of(event, "key"));
        json_decref(event);
    }
}

/* In the middle of it one server is killed, and its clients go on at the other, by the ids and with the keys that they have. */
START_TEST(one_killed_under_publishing_costs_nobody_a_message_and_nobody_has_one_twice)
{
    start_pair();
    const char *room = a_room();
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
            json_decref(await_event(speakers[1].c, "stored"));       /* it is in the middle of it */
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
    at[0].c = enter(room, "listener", at[0].last);
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
    late.c = enter(room, "listener", 0);
    hear_all(&late);
    bool heard[ALL] = { false };
    for (int i = 0; i < ALL; i++) {
        ck_assert_msg(!heard[at[1].said[i]], "%d comes twice", at[1].said[i]);
        heard[at[1].said[i]] = true;
        ck_assert(i == 0 || at[1].ids[i] > at[1].ids[i - 1]);
        ck_assert_int_eq(at[0].ids[i], at[1].ids[i]);
        ck_assert_int_eq(late.ids[i], at[1].ids[i]);
    }
    client_free(at[0].c);
    client_free(at[1].c);
    client_free(late.c);
    here = pair[1];
    server_stop();
}
END_TEST

static void add_tests(TCase *t)
{
    tcase_set_timeout(t, 60);
    tcase_add_test(t, what_is_said_reaches_all_in_the_room_and_its_sender_learns_its_id);
    tcase_add_test(t, a_key_that_is_sent_again_is_kept_once_whoever_sends_it_and_how);
    tcase_add_test(t, who_comes_again_gets_what_it_has_missed_in_order_and_once);
    tcase_add_test(t, what_cannot_be_said_is_refused_in_words);
    tcase_add_test(t, who_is_too_fast_is_told_when_to_try_again);
    tcase_add_test(t, who_comes_and_goes_is_told);
    tcase_add_test(t, without_scripts_a_form_and_a_page_are_enough);
    tcase_add_test(t, what_is_no_room_name_or_message_is_answered_so);
}

Suite *chat_suite(void)
{
    Suite *s = suite_create("chat");
    add_tests(theme(s, "chat-sqlite", on_sqlite));
    add_tests(theme(s, "chat-postgres", on_postgres));
    TCase *t = tcase_create("chat-ends");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, who_reads_slowly_gets_all_in_the_end);
    tcase_add_test(t, a_server_that_stops_closes_rooms_with_1001);
    suite_add_tcase(s, t);
    t = postgres_theme(s, "chat-pair");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, what_is_said_at_one_server_is_heard_at_the_other_and_so_is_who_is_there);
    tcase_add_test(t, one_killed_under_publishing_costs_nobody_a_message_and_nobody_has_one_twice);
    return s;
}
