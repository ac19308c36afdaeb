/* test_escape.c - escaping is the same by vectors, by words and by bytes: each byte anywhere in a text that begins
 * anywhere, in room that is just enough. */
#define VECTOR_PORTABLE
#define escape_json portable_json
#define escape_html portable_html
#define escape_log  portable_log
#define escape_none portable_none
#include "server/base/escape.c"              /* as where there are no vectors: NOLINT(bugprone-suspicious-include) */
#undef escape_json
#undef escape_html
#undef escape_log
#undef escape_none

#include "tests/unit/suites.h"

#include <stdio.h>
#include <stdlib.h>

escape_function escape_json, escape_html, escape_log;
bool            escape_none(char *to, text t);

enum { LONGEST = 100, MOST = 6 * LONGEST };

static const struct { escape_function *escape; bool json; } EACH_WAY[] = {
    { escape_json, true }, { portable_json, true }, { escape_html, false }, { portable_html, false },
};

static size_t reference(bool json, text t, char *to)
{
    char *const start = to;
    for (size_t i = 0; i < t.length; i++) {
        const unsigned char c = (unsigned char)t.at[i];
        const char *s = !json || !c ? NULL : strchr("b\bt\tn\nf\fr\r\"\"\\\\", c);
        if (s && (c < 0x20 || c == '"' || c == '\\'))
            to += sprintf(to, "\\%c", c < 0x20 ? s[-1] : c);
        else if (json && c < 0x20)
            to += sprintf(to, "\\u%04x", c);
        else if (!json && c && strchr("&<>\"'", c))
            to = stpcpy(to, c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '"' ? "&quot;" : "&#39;");
        else
            *to++ = (char)c;
    }
    return (size_t)(to - start);
}

/* By pieces of so much room, each on the heap, where a sanitizer sees a step over its end. */
static text escaped_in_pieces(escape_function *escape, text t, size_t room, char all[MOST])
{
    size_t length = 0;
    while (t.length > 0) {
        const size_t before = t.length;
        char *piece = malloc(room);
        const size_t more = (size_t)(escape(piece, piece + room, &t) - piece);
        ck_assert(t.length < before && more <= room && length + more <= MOST);
        memcpy(all + length, piece, more);
        length += more;
        free(piece);
    }
    return (text){ all, length };
}

static void expect_as_reference(int way, text t, size_t room)
{
    char wanted[MOST + 1], got[MOST];
    const size_t length = reference(EACH_WAY[way].json, t, wanted);
    ck_assert(text_equal(escaped_in_pieces(EACH_WAY[way].escape, t, room, got), (text){ wanted, length }));
}

START_TEST(each_byte_is_escaped_wherever_it_stands)
{
    for (int c = 0; c < 256; c++)
        for (size_t at = 0; at < 40; at++) {
            char plain[40];
            memset(plain, c % 2 ? 'x' : 0xc3, sizeof plain);
            plain[at] = (char)c;
            expect_as_reference(_i, (text){ plain, sizeof plain }, 2 * sizeof plain);
        }
}
END_TEST

START_TEST(texts_of_any_length_that_begin_anywhere_are_escaped)
{
    srand(1);
    for (size_t offset = 0; offset < 16; offset++)
        for (size_t length = 0; length <= LONGEST; length++) {
            char *whole = aligned_alloc(16, 16 + (LONGEST + 16) / 16 * 16), *ends = malloc(offset + length + 1);
            for (size_t i = 0; i < length; i++)
                whole[offset + i] = (char)(rand() % 8 ? 'a' + rand() % 26 : rand() % 256);
            memcpy(ends + 1 + offset, whole + offset, length);
            expect_as_reference(_i, (text){ whole + offset, length }, ESCAPE_LEAST + (size_t)rand() % 64);
            expect_as_reference(_i, (text){ ends + 1 + offset, length }, ESCAPE_LEAST);      /* nothing is behind it */
            free(whole);
            free(ends);
        }
}
END_TEST

START_TEST(what_has_no_room_is_left)
{
    char all[LONGEST], room[ESCAPE_LEAST] = "";
    memset(all, '"', sizeof all);
    text t = { all, sizeof all };
    const char *end = EACH_WAY[_i].escape(room, room + sizeof room - 1, &t);
    ck_assert(end == room && t.at == all && t.length == sizeof all);
}
END_TEST

/* The one byte that may be harmful is anywhere in a text of any length, in which all others are not; the room is just enough. */
START_TEST(a_text_that_needs_no_escape_is_copied_and_any_other_is_told)
{
    static bool (*const WAYS[])(char *, text) = { escape_none, portable_none };
    for (size_t length = 0; length <= 40; length++) {
        char *const plain = malloc(length + 1), *const to = malloc(length + 1);
        memset(plain, 'x', length + 1);
        for (int c = 1; c < 256; c++)
            for (size_t at = 0; at < length + (c == 1); at++) {
                plain[at] = (char)c;         /* at its length: behind it, which is not looked at */
                const bool fit = at == length || (c >= 0x20 && c < 0x7f && c != '"' && c != '\\');
                to[length] = '!';
                ck_assert(WAYS[_i](to, (text){ plain, length }) == fit);
                ck_assert(!fit || (memcmp(to, plain, length) == 0 && to[length] == '!'));
                plain[at] = 'x';
            }
        free(plain);
        free(to);
    }
}
END_TEST

Suite *escape_suite(void)
{
    Suite *s = suite_create("escape");
    TCase *t = tcase_create("escape");
    tcase_add_loop_test(t, each_byte_is_escaped_wherever_it_stands, 0, 4);
    tcase_add_loop_test(t, texts_of_any_length_that_begin_anywhere_are_escaped, 0, 4);
    tcase_add_loop_test(t, what_has_no_room_is_left, 0, 4);
    tcase_add_loop_test(t, a_text_that_needs_no_escape_is_copied_and_any_other_is_told, 0, 2);
    suite_add_tcase(s, t);
    return s;
}
