/* chat.c - /chat: what is said reaches all in a room, once and in order, whatever breaks. Two servers with one database have
 * faults/chat_servers.c. */
#include "tests/scenarios/scenarios.h"

#include "tests/scenarios/support/chat.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FORM "application/x-www-form-urlencoded"

enum { TEXT = FRAME_END | FRAME_TEXT, CLOSE = FRAME_END | FRAME_CLOSE };

static void on_sqlite(void)   { server_start("chat-sqlite", NULL); }
static void on_postgres(void) { server_start_on_postgres("chat-postgres", NULL); }

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
    const char *room = strdup(chat_new_room());
    client *ann = chat_enter_and_wait(room, "Ann", -1), *bob = chat_enter_and_wait(room, "Bob", 0);
    client *away = chat_enter_and_wait(chat_new_room(), "Cleo", 0);
    chat_say(ann, "k1", "Hello \"Bob\" <b>\xe2\x82\xac</b>");
    const int64_t id = chat_stored(ann, "k1");
    ck_assert_int_eq(chat_expect_said(bob, "Ann", "Hello \"Bob\" <b>\xe2\x82\xac</b>"), id);
    chat_say(bob, "k2", "Hello Ann");
    ck_assert_int_gt(chat_stored(bob, "k2"), id);
    json_t *event;
    while (!chat_is(event = chat_next(ann), "message") || strcmp(chat_data(event, "name"), "Ann") == 0)
        json_decref(event);
    ck_assert_str_eq(chat_data(event, "text"), "Hello Ann");
    json_decref(event);
    chat_say(away, "k1", "Is anybody here?");
    chat_expect_said(away, "Cleo", "Is anybody here?");
    client_free(ann);
    client_free(bob);
    client_free(away);
    free((char *)room);
}
END_TEST

START_TEST(a_key_that_is_sent_again_is_kept_once_whoever_sends_it_and_how)
{
    const char *room = chat_new_room();
    client *c = chat_enter_and_wait(room, "Ann", -1);
    chat_say(c, "same", "once");
    const int64_t id = chat_stored(c, "same");
    chat_say(c, "same", "once");
    ck_assert_int_eq(chat_stored(c, "same"), id);
    client_free(c);
    c = chat_enter_and_wait(room, "Ann", id);
    chat_say(c, "same", "once");
    ck_assert_int_eq(chat_stored(c, "same"), id);
    ck_assert_int_eq(say_by_form(room, "name=Ann&text=once&key=same").status, 303);
    chat_say(c, "other", "twice");
    ck_assert_int_gt(chat_stored(c, "other"), id);
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
    const char *room = chat_new_room();
    char fields[64], text[16];
    client *c = chat_enter_and_wait(room, "Ann", 0);
    for (int i = 0; i < MANY; i++) {
        snprintf(fields, sizeof fields, "name=Ann&key=k%d&text=%d", i, i);
        ck_assert_int_eq(say_by_form(room, fields).status, 303);
    }
    for (int i = 0; i < MANY; i++) {
        snprintf(text, sizeof text, "%d", i);
        ids[i] = chat_expect_said(c, "Ann", text);
        ck_assert(i == 0 || ids[i] > ids[i - 1]);
    }
    client_free(c);
    static const int froms[] = { -1, 0, 5, 110, MANY - 20, MANY - 1 };
    for (size_t n = 0; n < sizeof froms / sizeof *froms; n++) {
        c = chat_enter(room, "Ann", froms[n] < 0 ? 0 : ids[froms[n]]);
        for (int i = froms[n] + 1; i < MANY; i++) {
            snprintf(text, sizeof text, "%d", i);
            ck_assert_int_eq(chat_expect_said(c, "Ann", text), ids[i]);
        }
        json_t *ready = chat_expect(c, "ready");            /* and nothing once more before it, nor after it */
        ck_assert_int_eq(number_of(ready, "id"), ids[MANY - 1]);
        json_decref(ready);
        chat_say(c, "not a new one", "");
        json_decref(chat_expect(c, "refused"));
        client_free(c);
    }
}
END_TEST

START_TEST(what_cannot_be_said_is_refused_in_words)
{
    static char huge[3010];
    memset(huge, 'x', sizeof huge - 1);
    client *c = chat_enter_and_wait(chat_new_room(), "Ann", 0);
    const struct { const char *key, *said, *why; } wrong[] = {
        { "k1", "", "empty" }, { "k2", huge, "too long" }, { "", "no key", "key" }, { "k3", "\x1b[2J", "UTF-8 text" },
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        chat_say(c, wrong[i].key, wrong[i].said);
        json_t *event = chat_await(c, "refused");
        ck_assert_str_eq(chat_data(event, "key"), wrong[i].key);
        ck_assert_msg(strstr(chat_data(event, "why"), wrong[i].why), "%s", chat_data(event, "why"));
        ck_assert_ptr_null(json_object_get(json_object_get(event, "data"), "again"));
        json_decref(event);
    }
    static const char *const garbage[] = { "", "{", "[]", "7", "{\"key\":1,\"text\":2}", "{\"key\":\"k\"}" };
    for (size_t i = 0; i < sizeof garbage / sizeof *garbage; i++) {
        frame_say(c, TEXT, garbage[i]);
        json_decref(chat_await(c, "refused"));
    }
    client_free(c);
    c = chat_enter_and_wait(chat_new_room(), "", 0);     /* it only listens */
    chat_say(c, "k", "hello");
    json_t *event = chat_await(c, "refused");
    ck_assert_ptr_nonnull(strstr(chat_data(event, "why"), "who you are"));
    json_decref(event);
    client_free(c);
}
END_TEST

START_TEST(who_is_too_fast_is_told_when_to_try_again)
{
    enum { MANY = 40 };
    client *c = chat_enter_and_wait(chat_new_room(), "Ann", -1);
    char key[16];
    int kept = 0, refused = 0;
    for (int i = 0; i < MANY; i++) {
        snprintf(key, sizeof key, "k%d", i);
        chat_say(c, key, "quick");
    }
    while (kept + refused < MANY) {
        json_t *event = chat_next(c);
        ck_assert_ptr_nonnull(event);
        kept += chat_is(event, "stored");
        if (chat_is(event, "refused")) {
            const int64_t again = number_of(json_object_get(event, "data"), "again");
            ck_assert(again > 0 && again <= 250);
            snprintf(key, sizeof key, "%s", chat_data(event, "key"));
            refused++;
        }
        json_decref(event);
    }
    ck_assert_int_ge(kept, 20);
    ck_assert(refused > 0 || run_slowed());
    for (bool done = refused == 0; !done;) {
        chat_say(c, key, "quick");
        json_t *event = chat_next(c);
        while (!chat_is(event, "stored") && !chat_is(event, "refused")) {
            json_decref(event);
            event = chat_next(c);
        }
        done = chat_is(event, "stored");
        json_decref(event);
    }
    client_free(c);
}
END_TEST

START_TEST(who_comes_and_goes_is_told)
{
    const char *room = chat_new_room();
    client *ann = chat_enter(room, "Ann", -1);
    client_set_timeout(ann, 30);
    chat_expect_here(ann, "Ann", "");
    client *bob = chat_enter(room, "Bob", -1), *listener = chat_enter(room, "", -1);
    chat_expect_here(bob, "Bob,Ann", "");
    chat_expect_here(ann, "Bob,Ann", "");
    chat_expect_here(listener, "Bob,Ann", "");
    ck_assert(occurrences(page_of(room).body, "<li>Ann</li>") == 1 && occurrences(page_of(room).body, "<li>Bob</li>") == 1);
    frame_send(bob, CLOSE, "\x03\xe9", 2);
    chat_expect_here(ann, "Ann", "");
    client *cleo = chat_enter(room, "Cleo", -1);
    chat_expect_here(ann, "Cleo,Ann", "");
    client_reset(cleo);                      /* without a word */
    chat_expect_here(ann, "Ann", "");
    client_free(ann);
    client_free(bob);
    client_free(listener);
}
END_TEST

START_TEST(without_scripts_a_form_and_a_page_are_enough)
{
    const char *room = chat_new_room();
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
    server_start("chat-slow", "TENK_TOPICS_KEEP=4", "TENK_LIMITS_OUTPUT=16KiB", "TENK_TIMEOUTS_WRITE=5m",
                 "TENK_WEBSOCKET_PING=5m", NULL);            /* however slow the machine is: its client is there */
    const char *room = chat_new_room();
    client *slow = client_small(4096);
    char handshake[256], text[16];
    snprintf(handshake, sizeof handshake, HANDSHAKE_OF("/ws/chat/%s?name=S&after=0", ""), room);
    client_say(slow, handshake);
    ck_assert_int_eq(client_answer_to_head(slow).status, 101);
    json_decref(chat_await(slow, "ready"));
    for (int i = 0; i < MANY; i++) {
        const int length = snprintf(fields, sizeof fields, "name=Ann&key=%d&text=%d.", i, i);
        memset(fields + length, '"', LENGTH);
        ck_assert_int_eq(say_by_form(room, fields).status, 303);
    }
    for (int i = 0; i < MANY; i++) {
        json_t *event = chat_await(slow, "message");
        snprintf(text, sizeof text, "%d.", i);
        ck_assert_msg(strncmp(chat_data(event, "text"), text, strlen(text)) == 0, "%d: %.8s", i, chat_data(event, "text"));
        json_decref(event);
    }
    client_free(slow);
    server_stop();
}
END_TEST

START_TEST(a_server_that_stops_closes_rooms_with_1001)
{
    server_start("chat-stops", NULL);
    client *c = chat_enter_and_wait("lobby", "Ann", -1);
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

static void add_tests(TCase *t)
{
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
    tcase_add_test(t, who_reads_slowly_gets_all_in_the_end);
    tcase_add_test(t, a_server_that_stops_closes_rooms_with_1001);
    suite_add_tcase(s, t);
    return s;
}
