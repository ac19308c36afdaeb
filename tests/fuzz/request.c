/* request.c - any bytes as requests: scanner, head and body, fed whole and in parts, and with bodies that stream.
 *
 * The first byte says how the rest is split. However that is, the requests must be the same, and lie
 * within the bytes; and they must be those that a plain reading finds. */
#include "server/http/message/body.h"
#include "server/http/message/head_scanner.h"
#include "server/http/message/status.h"
#include "tests/support/plain_head.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { MOST = 16, LONGEST = 256 };           /* requests; bytes of a body that is gathered */

typedef struct outcome { bool stream; int count, err; struct { size_t head, body, end; uint64_t sum; } requests[MOST]; } outcome;

static const head_limits LIMITS = { .head = 512, .uri = 64, .headers = 8 };

#define must(what) ((what) ? (void)0 : (fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #what), abort()))

static uint64_t sum_of(uint64_t sum, text t)
{
    for (size_t i = 0; i < t.length; i++)
        sum = sum * 31 + (unsigned char)t.at[i];
    return sum;
}

static bool within(const head *h, text t)
{
    return t.length == 0 || (t.at >= h->at && t.at + t.length <= h->at + h->length) || text_equal(t, TEXT("/"));
}

static uint64_t look_at(const head *h)
{
    uint64_t sum = sum_of(sum_of(h->method, h->path), h->query) + h->keep_alive + 2 * h->expects_continue;
    must(within(h, h->path) && within(h, h->query));
    must(h->count <= LIMITS.headers);
    for (int i = 0; i < h->count; i++) {
        must(within(h, header_name(h->at, h->headers[i])) && within(h, header_value(h->at, h->headers[i])));
        sum = sum_of(sum_of(sum, header_name(h->at, h->headers[i])), header_value(h->at, h->headers[i]));
    }
    return sum;
}

/* Reads a body from bytes that come step at a time; 0, an error, or 1 when there are too few. */
static int read_body(const head *h, const char **at, const char *end, size_t step, outcome *o)
{
    arena a;
    int err = 0;
    uint64_t sum = 0, length_of_all = 0;
    arena_init(&a, NULL, 0);
    /* Framing is allowed as content comes: so, without bound. */
    body *b = body_new(&a, h, o->stream ? BODY_STREAMS : LONGEST, 4096, &err);
    while (b && !err && !b->complete) {
        const size_t length = (size_t)(end - *at) < step ? (size_t)(end - *at) : step;
        if (length == 0) {
            err = 1;
            break;
        }
        const long taken = body_take(b, *at, length);
        must(taken <= (long)length && (taken > 0 || taken <= HTTP_STATUS(100)));
        if (taken < 0)
            err = (int)taken;
        else
            *at += taken;
        if (!err && (o->stream ? b->length > 0 : b->complete)) {
            length_of_all += b->length;
            sum = sum_of(sum, (text){ b->at, b->length });
            body_drop(b);
        }
    }
    if (!err && b) {
        must((o->stream || length_of_all <= LONGEST) && (h->chunked || length_of_all == h->content_length));
        must(length_of_all == b->received);
        o->requests[o->count].body = length_of_all;
        o->requests[o->count].sum += sum;
    }
    arena_done(&a);
    return err;
}

static void read_all(const char *bytes, size_t length, size_t step, outcome *o)
{
    const char *at = bytes, *const end = bytes + length;
    static head h;
    while (o->count < MOST) {
        head_scanner s = { 0 };
        long size = 0;
        for (size_t seen = 0; size == 0 && at + seen < end;) {
            seen = (size_t)(end - at) - seen < step ? (size_t)(end - at) : seen + step;
            size = head_scan(&s, at, seen, &LIMITS, &h);
            must(size <= (long)seen && size == plain_scan(at, seen, &LIMITS));
        }
        if (size <= 0) {
            o->err = size ? (int)size : 1;
            return;
        }
        must((size_t)size <= LIMITS.head);
        o->err = head_read(&h);
        must(h.at == at && h.length == (size_t)size && !plain_contradiction(&h, o->err));
        if (o->err)
            return;
        o->requests[o->count].head = (size_t)size;
        o->requests[o->count].sum = look_at(&h);
        at += size;
        if (h.has_body && (o->err = read_body(&h, &at, end, step, o)))
            return;
        o->requests[o->count++].end = (size_t)(at - bytes);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    outcome whole = { 0 }, parts = { 0 }, streams = { .stream = true };
    read_all((const char *)data + 1, size - 1, size, &whole);
    read_all((const char *)data + 1, size - 1, data[0] % 32 + 1u, &parts);
    read_all((const char *)data + 1, size - 1, data[0] % 32 + 1u, &streams);
    must(whole.count == parts.count && (whole.err < 0) == (parts.err < 0));
    must(memcmp(whole.requests, parts.requests, sizeof whole.requests) == 0 || whole.err);
    must(streams.count == whole.count || (streams.count > whole.count && whole.err == HTTP_STATUS(413)));
    for (int i = 0; i < whole.count; i++) {
        must(whole.requests[i].end == parts.requests[i].end && whole.requests[i].sum == parts.requests[i].sum);
        must(whole.requests[i].end == streams.requests[i].end && whole.requests[i].sum == streams.requests[i].sum);
    }
    return 0;
}
