/* websocket_compression.c - permessage-deflate (RFC 7692) with a client of its own: what is agreed on, and messages. */
#include "tests/scenarios/scenarios.h"
#include "tests/scenarios/support/frames.h"

#include <stdlib.h>
#include <string.h>

enum { TEXT = FRAME_END | FRAME_TEXT, PING = FRAME_END | FRAME_PING, PONG = FRAME_END | FRAME_PONG };
enum { LIMIT = 64 * 1024 };

#define OFFER(value) HANDSHAKE_OF("/ws/echo", "Sec-WebSocket-Extensions: " value "\r\n")

static void with_compression(void)
{
    server_start("websocket_compression", "TENK_WEBSOCKET_MESSAGE=64KiB", "TENK_WEBSOCKET_COMPRESSION=on", NULL);
}

static client *packing(void) { return websocket_open(OFFER("permessage-deflate; client_max_window_bits")); }

static const char *lorem(size_t length)
{
    static char bytes[4 * LIMIT];
    for (size_t i = 0; i < length; i++)
        bytes[i] = "Lorem ipsum dolor sit amet, "[(i * i / 7 + i) % 28];
    bytes[length] = '\0';
    return bytes;
}

static void expect_packed(client *c, int kind, const char *bytes, size_t length)
{
    static char back[4 * LIMIT];
    const frame *f = frame_next(c);
    ck_assert_int_eq(f->first, kind | FRAME_PACKED);
    ck_assert_uint_lt(f->length, length);
    ck_assert_uint_eq(frame_unpack(back, sizeof back, f), length);
    ck_assert_mem_eq(back, bytes, length);
}

START_TEST(it_is_agreed_on_if_it_is_offered_as_the_rfc_has_it)
{
    static const struct { const char *handshake, *answer; } cases[] = {
#define ANEW "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
        { OFFER("permessage-deflate"), ANEW },
        { OFFER("permessage-deflate; client_max_window_bits"), ANEW },
        { OFFER("bbf-usp-protocol, permessage-deflate; server_max_window_bits=10"), ANEW "; server_max_window_bits=10" },
        { OFFER("permessage-deflate; server_max_window_bits=8\r\nSec-WebSocket-Extensions: permessage-deflate"), ANEW },
        { OFFER("permessage-deflate; server_max_window_bits=16"), NULL },
        { OFFER("x-webkit-deflate-frame"), NULL },
        { HANDSHAKE, NULL },
#undef ANEW
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        client *c = client_new();
        client_say(c, cases[i].handshake);
        const answer a = client_answer_to_head(c);
        ck_assert_int_eq(a.status, 101);
        if (cases[i].answer)
            ck_assert(header_is(&a, "Sec-WebSocket-Extensions", cases[i].answer));
        else
            ck_assert_int_eq(header_count(&a, "Sec-WebSocket-Extensions"), 0);
        client_free(c);
    }
}
END_TEST

START_TEST(messages_of_every_length_come_back_each_on_its_own)
{
    static const size_t lengths[] = { 200, 1000, 5000, 65535, LIMIT };
    static char packed[2 * LIMIT];
    client *c = packing();
    for (int round = 0; round < 2; round++)
        for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
            const size_t length = frame_pack(packed, sizeof packed, lorem(lengths[i]), lengths[i]);
            frame_send(c, TEXT | FRAME_PACKED, packed, length);
            expect_packed(c, TEXT, lorem(lengths[i]), lengths[i]);
        }
    client_free(c);
}
END_TEST

START_TEST(what_is_short_or_gets_no_smaller_goes_as_it_is_and_may_come_so)
{
    char packed[300], noise[256];
    client *c = packing();
    frame_send(c, TEXT | FRAME_PACKED, packed, frame_pack(packed, sizeof packed, "short", 5));
    expect_frame(c, TEXT, "short");
    frame_send(c, TEXT | FRAME_PACKED, packed, frame_pack(packed, sizeof packed, "", 0));
    expect_frame(c, TEXT, "");
    srand(1);
    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (char)(rand() >> 7);
    frame_send(c, FRAME_END | FRAME_BINARY, noise, sizeof noise);
    const frame *f = frame_next(c);
    ck_assert_int_eq(f->first, FRAME_END | FRAME_BINARY);
    ck_assert_mem_eq(f->bytes, noise, sizeof noise);
    frame_say(c, TEXT, lorem(500));
    expect_packed(c, TEXT, lorem(500), 500);
    client_free(c);
}
END_TEST

/* RFC 1951, 3.2.4: a block that is stored as it is has five bytes in front; and one more byte ends the message. */
START_TEST(what_gets_longer_may_have_as_many_bytes_as_any_and_no_more)
{
    enum { MOST = LIMIT - 1 };               /* of such a block */
    static char packed[5 + MOST + 8] = { 0, (char)0xff, (char)0xff, 0, 0 };
    memcpy(packed + 5, lorem(MOST), MOST);
    client *c = packing();
    frame_send(c, TEXT | FRAME_PACKED, packed, 5 + MOST + 1);
    expect_packed(c, TEXT, lorem(MOST), MOST);
    memcpy(packed + 5 + MOST, "\0\2\0\xfd\xff" "yz", 8);
    frame_send(c, TEXT | FRAME_PACKED, packed, 5 + MOST + 8);
    expect_close(c, 1009);
    client_free(c);
}
END_TEST

START_TEST(the_first_fragment_says_that_all_are_compressed_and_control_frames_are_not)
{
    char packed[2000];
    client *c = packing();
    const size_t length = frame_pack(packed, sizeof packed, lorem(1000), 1000);
    frame_send(c, FRAME_TEXT | FRAME_PACKED, packed, 1);
    frame_say(c, PING, "between");
    expect_frame(c, PONG, "between");
    frame_send(c, FRAME_CONTINUES, packed + 1, length - 2);
    frame_send(c, FRAME_END | FRAME_CONTINUES, packed + length - 1, 1);
    expect_packed(c, TEXT, lorem(1000), 1000);
    client_free(c);
}
END_TEST

START_TEST(rsv1_elsewhere_breaks_the_protocol)
{
    client *c = packing();
    frame_say(c, PING | FRAME_PACKED, "");
    expect_close(c, 1002);
    client_free(c);
    c = packing();
    frame_say(c, FRAME_TEXT, "");
    frame_say(c, FRAME_END | FRAME_CONTINUES | FRAME_PACKED, "");
    expect_close(c, 1002);
    client_free(c);
    c = packing();
    frame_say(c, TEXT | FRAME_PACKED | 0x20, "");
    expect_close(c, 1002);
    client_free(c);
    c = websocket_new();
    frame_say(c, TEXT | FRAME_PACKED, "");
    expect_close(c, 1002);
    client_free(c);
}
END_TEST

START_TEST(what_cannot_be_inflated_or_is_no_text_closes_with_1007)
{
    char packed[64];
    client *c = packing();
    frame_say(c, TEXT | FRAME_PACKED, "\xff\xff\xff");
    expect_close(c, 1007);
    client_free(c);
    c = packing();
    frame_send(c, TEXT | FRAME_PACKED, packed, frame_pack(packed, sizeof packed, "a\xed\xa0\x80", 4));
    expect_close(c, 1007);
    client_free(c);
    c = packing();
    frame_send(c, FRAME_END | FRAME_BINARY | FRAME_PACKED, packed, frame_pack(packed, sizeof packed, "a\xed\xa0\x80", 4));
    ck_assert_uint_eq(frame_next(c)->length, 4);
    client_free(c);
}
END_TEST

START_TEST(a_message_that_is_too_large_once_it_is_inflated_closes_with_1009)
{
    static char zeros[4 << 20], packed[8192];
    client *c = packing();
    frame_send(c, FRAME_END | FRAME_BINARY | FRAME_PACKED, packed, frame_pack(packed, sizeof packed, zeros, sizeof zeros));
    expect_close(c, 1009);
    client_free(c);
    c = packing();
    frame_send(c, FRAME_END | FRAME_BINARY | FRAME_PACKED, packed, frame_pack(packed, sizeof packed, zeros, LIMIT + 1));
    expect_close(c, 1009);
    client_free(c);
    c = packing();
    frame_send(c, FRAME_END | FRAME_BINARY | FRAME_PACKED, packed, frame_pack(packed, sizeof packed, zeros, LIMIT));
    expect_packed(c, FRAME_END | FRAME_BINARY, zeros, LIMIT);
    client_free(c);
}
END_TEST

START_TEST(it_is_not_agreed_on_unless_it_is_configured)
{
    server_start("websocket_compression", NULL);
    client *c = client_new();
    client_say(c, OFFER("permessage-deflate"));
    const answer a = client_answer_to_head(c);
    ck_assert(a.status == 101 && !header(&a, "Sec-WebSocket-Extensions"));
    frame_say(c, TEXT, lorem(500));
    expect_frame(c, TEXT, lorem(500));
    client_free(c);
    server_stop();
}
END_TEST

Suite *websocket_compression_suite(void)
{
    Suite *s = suite_create("websocket_compression");
    TCase *t = theme(s, "websocket_compression", with_compression);
    tcase_add_test(t, it_is_agreed_on_if_it_is_offered_as_the_rfc_has_it);
    tcase_add_test(t, messages_of_every_length_come_back_each_on_its_own);
    tcase_add_test(t, what_is_short_or_gets_no_smaller_goes_as_it_is_and_may_come_so);
    tcase_add_test(t, what_gets_longer_may_have_as_many_bytes_as_any_and_no_more);
    tcase_add_test(t, the_first_fragment_says_that_all_are_compressed_and_control_frames_are_not);
    tcase_add_test(t, rsv1_elsewhere_breaks_the_protocol);
    tcase_add_test(t, what_cannot_be_inflated_or_is_no_text_closes_with_1007);
    tcase_add_test(t, a_message_that_is_too_large_once_it_is_inflated_closes_with_1009);
    t = tcase_create("off");
    tcase_add_test(t, it_is_not_agreed_on_unless_it_is_configured);
    suite_add_tcase(s, t);
    return s;
}
