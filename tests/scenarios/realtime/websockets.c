/* websockets.c - GET /ws/echo: the handshake, frames as they should and should not be, and how it ends. */
#include "tests/scenarios/scenarios.h"
#include "tests/scenarios/support/frames.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT = FRAME_END | FRAME_TEXT, BINARY = FRAME_END | FRAME_BINARY, PING = FRAME_END | FRAME_PING,
       PONG = FRAME_END | FRAME_PONG, CLOSE = FRAME_END | FRAME_CLOSE };

#define ASK "GET /json HTTP/1.1\r\nHost: t\r\n\r\n"

static void with_websockets(void)
{
    server_start("websockets", "TENK_WEBSOCKET_MESSAGE=64KiB", "TENK_WEBSOCKET_ORIGINS=https://one.test, https://two.test:444",
                 NULL);
}

START_TEST(the_handshake_answers_with_the_digest_of_the_key)
{
    client *c = client_new();
    client_say(c, HANDSHAKE);
    const answer a = client_answer_to_head(c);
    ck_assert_int_eq(a.status, 101);
    ck_assert(header_is(&a, "Sec-WebSocket-Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    ck_assert(header_is(&a, "Upgrade", "websocket") && header_is(&a, "Connection", "Upgrade"));
    ck_assert_int_eq(header_count(&a, "Content-Length") + header_count(&a, "Sec-WebSocket-Protocol") +
                         header_count(&a, "Sec-WebSocket-Extensions"), 0);
    client_free(c);
}
END_TEST

#define HALF "GET /ws/echo HTTP/1.1\r\nHost: t\r\n"
#define KEY  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define UP   "Upgrade: websocket\r\nConnection: Upgrade\r\n"
#define V13  "Sec-WebSocket-Version: 13\r\n"

START_TEST(what_is_no_handshake_is_refused_and_another_request_may_follow)
{
    static const struct { const char *request; int status; } cases[] = {
        { HALF, 426 },
        { HALF "Upgrade: h2c\r\nConnection: Upgrade\r\n" KEY V13, 426 },
        { HALF UP KEY, 426 },
        { HALF UP KEY "Sec-WebSocket-Version: 8\r\n", 426 },
        { HALF UP KEY V13 V13, 426 },
        { HALF "Upgrade: websocket\r\n" KEY V13, 400 },
        { HALF UP V13, 400 },
        { HALF UP V13 KEY KEY, 400 },
        { HALF UP V13 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j\r\n", 400 },
        { HALF UP V13 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZWU=\r\n", 400 },
        { HALF UP V13 "Sec-WebSocket-Key: !GhlIHNhbXBsZSBub25jZQ==\r\n", 400 },
        { HALF UP V13 KEY "Origin: https://evil.test\r\n", 403 },
        { HALF UP V13 KEY "Origin: null\r\n", 403 },
        { HALF UP V13 KEY "Sec-Fetch-Site: cross-site\r\n", 403 },
        { HALF UP V13 KEY "Origin: https://two.test\r\n", 403 },
    };
    char request[512];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        client *c = client_new();
        snprintf(request, sizeof request, "%s\r\n" ASK, cases[i].request);
        client_say(c, request);
        const answer a = client_answer(c);
        ck_assert_msg(a.status == cases[i].status, "%s: %d", cases[i].request, a.status);
        ck_assert_int_eq(header_is(&a, "Sec-WebSocket-Version", "13"), a.status == 426);
        ck_assert_int_eq(header_is(&a, "Upgrade", "websocket"), a.status == 426);
        ck_assert_int_eq(client_answer(c).status, 200);
        client_free(c);
    }
    expect(ask("HEAD /ws/echo HTTP/1.1\r\nHost: t\r\n" UP V13 KEY "\r\n"), 426, NULL);
    expect(ask("GET /ws/echo HTTP/1.0\r\nHost: t\r\n" UP V13 KEY "\r\n"), 426, NULL);
    expect(ask(HALF UP V13 KEY "Content-Length: 1\r\n\r\nx"), 400, NULL);
    expect(ask(HALF "Upgrade: websocket\r\nConnection: Upgrade, close\r\n" V13 KEY "\r\n"), 400, NULL);
}
END_TEST

START_TEST(browsers_and_those_who_are_none_may_connect)
{
    static const char *const requests[] = {
        HALF "upgrade: foo, WebSocket\r\nconnection: keep-alive, UPGRADE\r\n" V13 KEY "\r\n",
        HALF UP V13 KEY "Origin: http://t\r\nSec-Fetch-Site: same-origin\r\n\r\n",
        HALF UP V13 KEY "Origin: https://two.test:444\r\nSec-Fetch-Site: cross-site\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        client *c = client_new();
        client_say(c, requests[i]);
        ck_assert_int_eq(client_answer_to_head(c).status, 101);
        client_free(c);
    }
    client *c = client_new();
    client_say(c, HANDSHAKE_OF("/ws/echo", "Sec-WebSocket-Protocol: chat, echo\r\nSec-WebSocket-Protocol: more\r\n"));
    const answer a = client_answer_to_head(c);
    ck_assert(header_is(&a, "Sec-WebSocket-Protocol", "echo"));
    client_free(c);
    c = client_new();
    client_say(c, HANDSHAKE_OF("/ws/echo", "Sec-WebSocket-Protocol: chat\r\n"));
    const answer none = client_answer_to_head(c);
    ck_assert(none.status == 101 && !header(&none, "Sec-WebSocket-Protocol"));
    client_free(c);
}
END_TEST

START_TEST(messages_of_every_length_come_back)
{
    static const size_t lengths[] = { 0, 1, 125, 126, 4095, 4096, 4097, 65535, 65536 };
    static char bytes[65536];
    client *c = websocket_new();
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(i * 7 + (i >> 8));
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        frame_send(c, BINARY, bytes, lengths[i]);
        const frame *f = frame_next(c);
        ck_assert_int_eq(f->first, BINARY);
        ck_assert_uint_eq(f->length, lengths[i]);
        ck_assert_mem_eq(f->bytes, bytes, lengths[i]);
    }
    frame_say(c, TEXT, "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5");
    expect_frame(c, TEXT, "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5");
    client_free(c);
}
END_TEST

START_TEST(a_ping_between_fragments_is_answered_before_the_message)
{
    client *c = websocket_new();
    frame_say(c, FRAME_TEXT, "\xe2\x82");
    frame_say(c, PING, "now");
    expect_frame(c, PONG, "now");
    frame_say(c, PONG, "unasked");
    frame_say(c, FRAME_CONTINUES, "");
    frame_say(c, FRAME_END | FRAME_CONTINUES, "\xac!");
    expect_frame(c, TEXT, "\xe2\x82\xac!");
    client_free(c);
}
END_TEST

START_TEST(frames_may_come_byte_by_byte_and_many_at_once)
{
    enum { MANY = 20000 };
    static char all[MANY * 32];
    char word[32];
    size_t length = 0;
    client *c = websocket_new();
    const size_t one = frame_write(all, TEXT, "byte by byte", 12);
    for (size_t i = 0; i < one; i++)
        client_send(c, all + i, 1);
    expect_frame(c, TEXT, "byte by byte");
    for (int i = 0; i < MANY; i++)
        length += frame_write(all + length, TEXT, word, (size_t)sprintf(word, "number %d", i));
    client_send(c, all, length);
    for (int i = 0; i < MANY; i++) {
        sprintf(word, "number %d", i);
        expect_frame(c, TEXT, word);
    }
    client_free(c);
}
END_TEST

START_TEST(what_comes_right_behind_the_handshake_are_frames)
{
    char all[1024];
    client *c = client_new();
    size_t length = (size_t)sprintf(all, "%s%s", ASK, HANDSHAKE);
    length += frame_write(all + length, TEXT, "at once", 7);
    length += frame_write(all + length, CLOSE, "\x03\xe8", 2);
    client_send(c, all, length);
    ck_assert_int_eq(client_answer(c).status, 200);
    ck_assert_int_eq(client_answer_to_head(c).status, 101);
    expect_frame(c, TEXT, "at once");
    expect_close(c, 1000);
    client_free(c);
}
END_TEST

/* The rest of the frame, and of the message, does not come. */
START_TEST(text_that_is_no_utf8_closes_with_1007_at_once)
{
    char bytes[64];
    client *c = websocket_new();
    frame_say(c, FRAME_TEXT, "\xce\xba");
    const size_t all = frame_write(bytes, FRAME_CONTINUES, "a\xed\xa0\x80 and so on", 15);
    client_send(c, bytes, all - 11);
    expect_close(c, 1007);
    client_free(c);
    c = websocket_new();
    frame_say(c, TEXT, "\xe2\x82");
    expect_close(c, 1007);
    client_free(c);
}
END_TEST

START_TEST(what_breaks_the_protocol_closes_with_1002)
{
    static const struct { const char *bytes; size_t length; } cases[] = {
#define CASE(bytes) { bytes, sizeof bytes - 1 }
        CASE("\x81\x01x"),                                   /* not masked */
        CASE("\xc1\x81mask!"), CASE("\xa1\x81mask!"), CASE("\x91\x81mask!"),         /* a reserved bit */
        CASE("\x83\x81mask!"), CASE("\x8b\x81mask!"),        /* a kind that there is not */
        CASE("\x80\x81mask!"),                               /* continues nothing */
        CASE("\x01\x81mask!\x81\x81mask!"),                  /* another message inside of one */
        CASE("\x09\x81mask!"),                               /* a ping in fragments */
        CASE("\x89\xfe\x00\x7emask!"),                       /* a ping of 126 bytes */
        CASE("\x81\xfe\x00\x05mask!"),                       /* a length that is longer than it need be */
        CASE("\x81\xff\x80\x00\x00\x00\x00\x00\x00\x00mask!"),
        CASE("\x88\x81mask!"),                               /* half of a code */
        CASE("\x88\x82\0\0\0\0\x03\xed"), CASE("\x88\x82\0\0\0\0\x03\xe7"),          /* 1005 and 999 */
        CASE("\x88\x82\0\0\0\0\x03\xf7"), CASE("\x88\x82\0\0\0\0\x03\xf8"),          /* 1015 and 1016 */
#undef CASE
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        client *c = websocket_new();
        client_send(c, cases[i].bytes, cases[i].length);
        expect_close(c, 1002);
        client_free(c);
    }
}
END_TEST

START_TEST(a_message_before_what_breaks_the_protocol_is_answered_before_it)
{
    char all[64];
    client *c = websocket_new();
    size_t length = frame_write(all, TEXT, "first", 5);
    length += frame_write(all + length, TEXT | 0x20, "second", 6);
    length += frame_write(all + length, PING, "", 0);
    client_send(c, all, length);
    expect_frame(c, TEXT, "first");
    expect_close(c, 1002);
    client_free(c);
}
END_TEST

START_TEST(a_message_beyond_the_limit_closes_with_1009_before_it_has_come)
{
    client *c = websocket_new();
    client_send(c, "\x82\xff\0\0\0\0\0\x01\0\x01mask!", 15);
    expect_close(c, 1009);
    client_free(c);
    static char half[32769];
    c = websocket_new();
    frame_send(c, FRAME_BINARY, half, 32768);
    frame_send(c, FRAME_CONTINUES, half, 32769);
    expect_close(c, 1009);
    client_free(c);
}
END_TEST

START_TEST(a_message_in_too_many_fragments_closes_with_1008)
{
    client *c = websocket_new();
    frame_say(c, FRAME_TEXT, "");
    for (int i = 0; i < 4096; i++)
        frame_say(c, FRAME_CONTINUES, "");
    expect_close(c, 1008);
    client_free(c);
}
END_TEST

START_TEST(fragments_may_be_many_if_they_are_not_empty)
{
    enum { MANY = 6000 };
    client *c = websocket_new();
    frame_say(c, FRAME_TEXT, "0123456789");
    for (int i = 1; i < MANY; i++)
        frame_say(c, i < MANY - 1 ? FRAME_CONTINUES : FRAME_END | FRAME_CONTINUES, "0123456789");
    const frame *f = frame_next(c);
    ck_assert_int_eq(f->first, TEXT);
    ck_assert_uint_eq(f->length, 10 * MANY);
    client_free(c);
}
END_TEST

START_TEST(a_close_is_answered_with_its_own_code)
{
    static const struct { const char *bytes; size_t length; int code; } cases[] = {
        { "", 0, 0 }, { "\x03\xe8", 2, 1000 }, { "\x03\xe9 going", 8, 1001 }, { "\x0b\xb8", 2, 3000 }, { "\x13\x87", 2, 4999 },
        { "\x03\xf3", 2, 1011 }, { "\x03\xf4 restarts", 11, 1012 }, { "\x03\xf6", 2, 1014 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        client *c = websocket_new();
        frame_say(c, TEXT, "last");
        frame_send(c, CLOSE, cases[i].bytes, cases[i].length);
        frame_say(c, TEXT, "after the last");
        expect_frame(c, TEXT, "last");
        expect_close(c, cases[i].code);
        client_free(c);
    }
}
END_TEST

START_TEST(who_does_not_read_is_not_read_from)
{
    enum { MANY = 4000 };
    static char bytes[60000];
    client *c = websocket_new();
    client_set_timeout(c, 0.5);
    const long before = server_resident();
    int sent = 0;
    while (sent < MANY && frame_send(c, BINARY, bytes, sizeof bytes))
        sent++;
    ck_assert_int_lt(sent, MANY);
    if (!run_slowed())
        ck_assert_int_lt(server_resident() - before, 8 << 20);
    expect(get("/json"), 200, NULL);
    client_free(c);
}
END_TEST

static const char *const STYLES[] = { HANDSHAKE, HANDSHAKE_OF("/ws/echo/promise", ""), HANDSHAKE_OF("/ws/echo/callback", "") };

START_TEST(in_each_style_a_handler_answers_until_the_end)
{
    char all[256];
    size_t length = 0;
    client *c = websocket_open(STYLES[_i]);
    frame_say(c, TEXT, "alone");
    expect_frame(c, TEXT, "alone");
    for (int i = 0; i < 3; i++) {
        length += frame_write(all + length, FRAME_TEXT, "in ", 3);
        length += frame_write(all + length, PING, "between", 7);
        length += frame_write(all + length, FRAME_END | FRAME_CONTINUES, "parts", 5);
    }
    length += frame_write(all + length, CLOSE, "\x0f\xa1 enough", 9);
    client_send(c, all, length);
    int pongs = 0;                           /* which may come before the answer to the message before */
    for (int i = 0; i < 6; i++) {
        const frame *f = frame_next(c);
        ck_assert_str_eq(f->bytes, f->first == PONG ? "between" : "in parts");
        pongs += f->first == PONG;
    }
    ck_assert_int_eq(pongs, 3);
    expect_close(c, 4001);
    client_free(c);
}
END_TEST

START_TEST(a_silent_client_is_pinged_and_then_let_go)
{
    server_start("websockets", "TENK_WEBSOCKET_PING=1s", NULL);      /* in which also a busy machine lets one answer */
    client *silent = websocket_new(), *alive = websocket_new();
    for (int i = 0; i < 3; i++) {
        expect_frame(alive, PING, "");
        frame_say(alive, PONG, "");
    }
    frame_say(alive, TEXT, "still there");
    expect_frame(alive, TEXT, "still there");
    expect_frame(silent, PING, "");
    ck_assert(client_closed(silent));
    client_free(silent);
    client_free(alive);
    server_stop();
}
END_TEST

/* Its handler runs, for it has answered. */
static client *whose_server_stops(const char *handshake)
{
    client *c = websocket_open(handshake);
    frame_say(c, TEXT, "here");
    expect_frame(c, TEXT, "here");
    server_signal(SIGTERM);
    return c;
}

START_TEST(a_server_that_stops_closes_with_1001_and_waits_for_the_answer)
{
    server_start("websockets", "TENK_TIMEOUTS_DRAIN=60s", NULL);
    client *c = whose_server_stops(STYLES[_i]);
    const frame *f = frame_next(c);
    ck_assert_int_eq(f->first, CLOSE);
    ck_assert_mem_eq(f->bytes, "\x03\xe9", 2);
    frame_send(c, CLOSE, "\x03\xe9", 2);
    ck_assert(client_let_go(c));
    ck_assert_int_eq(server_wait(), 0);
    client_free(c);
}
END_TEST

START_TEST(a_server_that_stops_does_not_wait_for_one_who_does_not_answer)
{
    server_start("websockets", "TENK_TIMEOUTS_DRAIN=1s", NULL);
    client *c = whose_server_stops(STYLES[_i]);
    ck_assert_int_eq(frame_next(c)->first, CLOSE);
    ck_assert_int_eq(server_wait(), 0);
    client_free(c);
}
END_TEST

/* If its handler went on, the server would wait for it. */
START_TEST(a_client_that_goes_without_a_word_ends_its_handler)
{
    server_start("websockets", "TENK_TIMEOUTS_DRAIN=60s", NULL);
    client *reset = websocket_open(STYLES[_i]), *half = websocket_open(STYLES[_i]), *shut = websocket_open(STYLES[_i]);
    frame_say(shut, FRAME_TEXT, "the rest will not come");
    client_reset(reset);
    client_half_close(half);
    ck_assert(client_closed(half));
    client_free(half);
    client_free(shut);
    server_stop();
}
END_TEST

Suite *websockets_suite(void)
{
    Suite *s = suite_create("websockets");
    TCase *t = theme(s, "websockets", with_websockets);
    tcase_add_test(t, the_handshake_answers_with_the_digest_of_the_key);
    tcase_add_test(t, what_is_no_handshake_is_refused_and_another_request_may_follow);
    tcase_add_test(t, browsers_and_those_who_are_none_may_connect);
    tcase_add_test(t, messages_of_every_length_come_back);
    tcase_add_test(t, a_ping_between_fragments_is_answered_before_the_message);
    tcase_add_test(t, frames_may_come_byte_by_byte_and_many_at_once);
    tcase_add_test(t, what_comes_right_behind_the_handshake_are_frames);
    tcase_add_test(t, text_that_is_no_utf8_closes_with_1007_at_once);
    tcase_add_test(t, what_breaks_the_protocol_closes_with_1002);
    tcase_add_test(t, a_message_before_what_breaks_the_protocol_is_answered_before_it);
    tcase_add_test(t, a_message_beyond_the_limit_closes_with_1009_before_it_has_come);
    tcase_add_test(t, a_message_in_too_many_fragments_closes_with_1008);
    tcase_add_test(t, fragments_may_be_many_if_they_are_not_empty);
    tcase_add_test(t, a_close_is_answered_with_its_own_code);
    enum { EACH = sizeof STYLES / sizeof *STYLES };
    tcase_add_loop_test(t, in_each_style_a_handler_answers_until_the_end, 0, EACH);
    tcase_add_test(t, who_does_not_read_is_not_read_from);
    t = tcase_create("ends");
    tcase_add_test(t, a_silent_client_is_pinged_and_then_let_go);
    tcase_add_loop_test(t, a_server_that_stops_closes_with_1001_and_waits_for_the_answer, 0, EACH);
    tcase_add_loop_test(t, a_server_that_stops_does_not_wait_for_one_who_does_not_answer, 0, EACH);
    tcase_add_loop_test(t, a_client_that_goes_without_a_word_ends_its_handler, 0, EACH);
    suite_add_tcase(s, t);
    return s;
}
