/* test_output.c - bytes on their way out, against a plain array of the same. */
#include "server/http/output.h"

#include "tests/support/support.h"
#include "tests/unit/suites.h"

#include <stdlib.h>

static size_t copy_of(const output *o, char *to)
{
    size_t length = 0;
    for (const chunk *c = o->first; c; c = c->next) {
        const text left = chunk_left(c);
        memcpy(to + length, left.at, left.length);
        length += left.length;
    }
    return length;
}

START_TEST(what_is_appended_leaves_in_order_whatever_is_done_to_it)
{
    static char piece[40000];
    char *const wanted = zeros(4 << 20), *const got = zeros(4 << 20);
    size_t length = 0;
    output o = { 0 };
    srand(1);
    for (int i = 0; i < 3000; i++) {
        const size_t size = (size_t)rand() % (rand() % 4 ? 300 : sizeof piece);
        output other = { 0 };
        for (size_t k = 0; k < size; k++)
            piece[k] = (char)rand();
        switch (rand() % 5) {
        case 0:
            output_append(&o, (text){ piece, size });
            memcpy(wanted + length, piece, size), length += size;
            break;
        case 1:
            memcpy(output_room(&o, size + 7), piece, size);
            output_cut(&o, 7);
            memcpy(wanted + length, piece, size), length += size;
            break;
        case 2:
            output_append(&other, (text){ piece, size });
            output_move(&o, &other);
            ck_assert(!other.first && !other.last && other.length == 0);
            memcpy(wanted + length, piece, size), length += size;
            break;
        case 3: {
            topic_message *m = topic_message_new(1, TEXT(""), (text){ piece, size });
            output_share(&o, m, m->bytes);
            topic_message_release(m);
            memcpy(wanted + length, piece, size), length += size;
            break;
        }
        default: {
            const size_t sent = length ? (size_t)rand() % (length + 1) : 0;
            output_sent(&o, sent);
            memmove(wanted, wanted + sent, length -= sent);
        }
        }
        ck_assert_uint_eq(o.length, length);
        ck_assert_uint_eq(copy_of(&o, got), length);
        ck_assert_mem_eq(got, wanted, length);
    }
    output_free(&o);
    ck_assert(!o.first && !o.last && o.length == 0);
}
END_TEST

START_TEST(nothing_appended_is_nothing_to_send)
{
    output o = { 0 };
    output_append(&o, TEXT(""));
    ck_assert_ptr_null(o.first);
    output_append(&o, TEXT("a"));
    output_sent(&o, 1);
    ck_assert(!o.first && !o.last);
}
END_TEST

START_TEST(a_short_answer_alone_takes_little)
{
    output o = { 0 };
    output_append(&o, TEXT("HTTP/1.1 204 No Content\r\n\r\n"));
    ck_assert_uint_le(sizeof *o.first + o.first->size, 1024);
    while (!o.first->next)                   /* what comes behind it does not */
        output_append(&o, TEXT("HTTP/1.1 204 No Content\r\n\r\n"));
    ck_assert_uint_ge(o.last->size, 16000);
    output_free(&o);
}
END_TEST

static topic_message *message_of(size_t length)
{
    static char bytes[OUTPUT_SHARED];
    return topic_message_new(1, TEXT(""), (text){ bytes, length });
}

START_TEST(what_many_get_is_not_copied_but_held_until_it_is_sent)
{
    output o = { 0 };
    topic_message *long_one = message_of(OUTPUT_SHARED), *short_one = message_of(OUTPUT_SHARED - 1);
    output_share(&o, short_one, short_one->bytes);
    ck_assert_uint_eq(short_one->holders, 1);
    ck_assert_ptr_ne(chunk_left(o.first).at, short_one->bytes.at);
    output_share(&o, long_one, long_one->bytes);
    output_share(&o, long_one, long_one->bytes);
    ck_assert_uint_eq(long_one->holders, 3);
    ck_assert_ptr_eq(chunk_left(o.last).at, long_one->bytes.at);
    ck_assert_uint_eq(o.length, 3 * OUTPUT_SHARED - 1);
    output_sent(&o, short_one->bytes.length + 7);
    ck_assert_ptr_eq(chunk_left(o.first).at, long_one->bytes.at + 7);
    ck_assert_uint_eq(chunk_left(o.first).length, OUTPUT_SHARED - 7);
    output_sent(&o, OUTPUT_SHARED - 7);
    ck_assert_uint_eq(long_one->holders, 2);
    output_free(&o);
    ck_assert_uint_eq(long_one->holders, 1);
    topic_message_release(long_one);
    topic_message_release(short_one);
}
END_TEST

START_TEST(a_little_behind_what_is_shared_takes_little)
{
    output o = { 0 };
    topic_message *m = message_of(OUTPUT_SHARED);
    for (int i = 0; i < 3; i++) {
        output_share(&o, m, m->bytes);
        output_append(&o, TEXT("between"));
        ck_assert_uint_le(sizeof *o.last + o.last->size, 1024);
    }
    output_free(&o);
    topic_message_release(m);
}
END_TEST

Suite *output_suite(void)
{
    Suite *s = suite_create("output");
    TCase *t = tcase_create("all");
    tcase_add_test(t, what_is_appended_leaves_in_order_whatever_is_done_to_it);
    tcase_add_test(t, nothing_appended_is_nothing_to_send);
    tcase_add_test(t, a_short_answer_alone_takes_little);
    tcase_add_test(t, what_many_get_is_not_copied_but_held_until_it_is_sent);
    tcase_add_test(t, a_little_behind_what_is_shared_takes_little);
    suite_add_tcase(s, t);
    return s;
}
