/* frames.c - see frames.h. */
#include "frames.h"

#include <check.h>
#include <endian.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

client *websocket_open(const char *handshake)
{
    client *c = client_new();
    client_say(c, handshake);
    ck_assert_int_eq(client_answer_to_head(c).status, 101);
    return c;
}

client *websocket_new(void) { return websocket_open(HANDSHAKE); }

size_t frame_write(char *to, int first, const void *bytes, size_t length)
{
    static const char mask[4] = { 0x37, (char)0xfa, 0x21, 0x3d };
    char *at = to;
    *at++ = (char)first;
    *at++ = (char)(0x80 | (length < 126 ? length : length < 65536 ? 126 : 127));
    if (length >= 65536)
        at = mempcpy(at, &(uint64_t){ htobe64(length) }, 8);
    else if (length >= 126)
        at = mempcpy(at, &(uint16_t){ htobe16((uint16_t)length) }, 2);
    at = mempcpy(at, mask, 4);
    for (size_t i = 0; i < length; i++)
        at[i] = (char)(((const char *)bytes)[i] ^ mask[i % 4]);
    return (size_t)(at - to) + length;
}

size_t frame_pack(char *to, size_t most, const void *bytes, size_t length)
{
    z_stream z = { .next_in = (Bytef *)bytes, .avail_in = (uInt)length, .next_out = (Bytef *)to, .avail_out = (uInt)most };
    ck_assert_int_eq(deflateInit2(&z, 9, Z_DEFLATED, -15, 9, Z_DEFAULT_STRATEGY), Z_OK);
    ck_assert_int_eq(deflate(&z, Z_SYNC_FLUSH), Z_OK);
    const size_t all = z.total_out;
    deflateEnd(&z);
    ck_assert_mem_eq(to + all - 4, "\0\0\xff\xff", 4);
    return all - 4;
}

size_t frame_unpack(char *to, size_t most, const frame *f)
{
    z_stream z = { .next_in = (Bytef *)f->bytes, .avail_in = (uInt)f->length, .next_out = (Bytef *)to, .avail_out = (uInt)most };
    ck_assert_int_eq(inflateInit2(&z, -15), Z_OK);
    ck_assert_int_eq(inflate(&z, Z_SYNC_FLUSH), Z_OK);
    z.next_in = (Bytef *)"\0\0\xff\xff";
    z.avail_in = 4;
    const int err = inflate(&z, Z_SYNC_FLUSH);
    ck_assert(err == Z_OK || err == Z_BUF_ERROR);
    inflateEnd(&z);
    return z.total_out;
}

bool frame_send(client *c, int first, const void *bytes, size_t length)
{
    char *all = malloc(length + 14);
    const bool sent = client_send(c, all, frame_write(all, first, bytes, length));
    free(all);
    return sent;
}

bool frame_say(client *c, int first, const char *text) { return frame_send(c, first, text, strlen(text)); }

const frame *frame_next(client *c)
{
    static frame f;
    unsigned char head[2];
    uint16_t two = 0;
    uint64_t eight = 0;
    f.first = -1;
    f.length = 0;
    if (!client_bytes(c, head, 2))
        return &f;
    ck_assert_msg(!(head[1] & 0x80), "a server does not mask");
    f.length = head[1];
    if (head[1] == 126 && client_bytes(c, &two, 2))
        f.length = be16toh(two);
    else if (head[1] == 127 && client_bytes(c, &eight, 8))
        f.length = be64toh(eight);
    ck_assert_uint_lt(f.length, sizeof f.bytes);
    if (client_bytes(c, f.bytes, f.length))
        f.first = head[0];
    f.bytes[f.length] = '\0';
    return &f;
}

void expect_frame(client *c, int first, const char *text)
{
    const frame *f = frame_next(c);
    ck_assert_int_eq(f->first, first);
    ck_assert_str_eq(f->bytes, text);
}

void expect_close(client *c, int code)
{
    const frame *f = frame_next(c);
    ck_assert_int_eq(f->first, FRAME_END | FRAME_CLOSE);
    ck_assert_int_eq(f->length >= 2 ? (unsigned char)f->bytes[0] << 8 | (unsigned char)f->bytes[1] : 0, code);
    ck_assert(client_let_go(c));
}
