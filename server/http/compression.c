/* compression.c - see compression.h. */
#include "compression.h"
#include "conditions.h"
#include "server/http/message/accept_header.h"
#include "server/executor/thread_pool.h"
#include "server/base/memory.h"
#include "server/base/overload/refusal.h"

#include <brotli/encode.h>
#include <zlib.h>

/* Measured with JSON of 8 KiB: br of 2 is as small as gzip of 5 and takes a third of its time; more makes it a tenth
 * smaller in three times as long. */
enum { BROTLI_QUALITY = 2, GZIP_LEVEL = 5 };

typedef struct compression {
    coding coding;
    text   from;
    char  *to;                               /* as many bytes as from has */
    size_t length;                           /* at to; 0: it did not get smaller */
} compression;

/* The window reaches over the whole body, and not farther: to set one up takes longer than a small body does. */
static int window_bits(size_t length, int least, int most)
{
    int bits = least;
    while (bits < most && (size_t)1 << bits < length)
        bits++;
    return bits;
}

static size_t compress_gzip(text from, char *to)
{
    enum { GZIP_HEADER = 16, MEM_LEVEL = 6 };            /* its tables are 2^6 times smaller than its window */
    z_stream z = { 0 };
    const int bits = window_bits(from.length, 9, 15), level = bits - MEM_LEVEL < 8 ? bits - MEM_LEVEL : 8;
    if (deflateInit2(&z, GZIP_LEVEL, Z_DEFLATED, bits + GZIP_HEADER, level, Z_DEFAULT_STRATEGY) != Z_OK)
        return 0;
    z.next_in = (Bytef *)from.at;
    z.avail_in = (uInt)from.length;
    z.next_out = (Bytef *)to;
    z.avail_out = (uInt)from.length - 1;
    const size_t length = deflate(&z, Z_FINISH) == Z_STREAM_END ? z.total_out : 0;
    deflateEnd(&z);
    return length;
}

static size_t compress_brotli(text from, char *to)
{
    enum { BEYOND = 16 };                    /* a window of 2^n reaches 2^n - 16 bytes back */
    size_t length = from.length - 1;
    const int bits = window_bits(from.length + BEYOND, BROTLI_MIN_WINDOW_BITS, BROTLI_DEFAULT_WINDOW);
    return BrotliEncoderCompress(BROTLI_QUALITY, bits, BROTLI_MODE_TEXT, from.length, (const uint8_t *)from.at, &length,
                                 (uint8_t *)to) ? length : 0;
}

static int compression_run(void *arg)
{
    compression *c = arg;
    c->length = (c->coding == CODING_GZIP ? compress_gzip : compress_brotli)(c->from, c->to);
    return 0;
}

/* libbrotlienc takes some 15 KiB of stack. */
static bool compression_is_heavy(text body) { return body.length >= COMPRESSION_HEAVY || task_stack_left() < 32 * 1024; }

static coding compression_choose(request *req, text body)
{
    const text accept = request_list(req, "accept-encoding");
    const bool small = body.length < COMPRESSION_LEAST && accept_encoding_takes_identity(accept);
    if (small || body.length == 0 || body.length > COMPRESSION_MOST || !mem_has(2 * body.length))
        return CODING_IDENTITY;
    return accept_encoding_best(accept, 1u << CODING_GZIP | 1u << CODING_BROTLI);
}

async int respond_compressed(request *req, const char *type, text body)
{
    char tag[CONDITIONS_TAG];
    compression c = { .coding = compression_choose(req, body), .from = body };
    if (c.coding != CODING_IDENTITY) {
        c.to = arena_room(request_arena(req), body.length);
        const int err = compression_is_heavy(body) ? await(in_thread(compression_run, &c)) : compression_run(&c);
        if (err && !refusal_is(err))
            return err;
        if (c.length > 0)
            body = (text){ c.to, c.length };
    }
    conditions_tag(tag, body);
    respond_header(req, "Vary", "Accept-Encoding");
    const int condition = respond_conditions(req, tag, CONDITIONS_NO_TIME);
    if (condition)
        return condition == 304 ? respond_nothing(req, 304) : condition;
    if (c.length > 0)
        respond_header(req, "Content-Encoding", "%s", coding_name(c.coding));
    return respond(req, 200, type, body);
}
