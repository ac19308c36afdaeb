/* body.c - see body.h. */
#include "body.h"
#include "server/base/memory.h"
#include "server/base/overload/refusal.h"
#include "status.h"

enum { FIRST = 4096, LARGE = 128 * 1024, PER_CHUNK = 16 };       /* what the framing of a one-byte chunk may cost */

/* NULL: there is no memory for so much. */
static char *body_room(body *b, size_t length)
{
    const size_t used = b->length + b->trailers;
    size_t capacity = b->capacity;
    while (used + length > capacity)
        capacity = capacity ? 2 * capacity : FIRST;
    if (capacity > b->capacity) {
        if (capacity > LARGE ? !mem_has(2 * capacity) : mem_is_short())
            return NULL;
        b->at = mem_resize(b->at, capacity);
        b->capacity = capacity;
    }
    return b->at + used;
}

static void body_end(void *arg)
{
    body *b = arg;
    mem_free(b->at);
}

body *body_new(arena *a, const head *h, size_t limit, size_t framing_limit, int *err)
{
    if (h->content_length > limit) {
        *err = HTTP_STATUS(413);
        return NULL;
    }
    body *b = arena_alloc(a, sizeof *b);
    b->chunks.left = h->content_length;
    b->is_chunked = h->chunked;
    b->limit = limit;
    b->streams = limit == BODY_STREAMS;
    b->unannounced = h->expects_continue;
    b->framing_limit = framing_limit;
    b->scanner.lines = 1;                    /* trailers are headers only, without a request line */
    arena_defer(a, body_end, b);
    return b;
}

static long body_take_content(body *b, const char *at, size_t length)
{
    if (length > b->chunks.left)
        length = (size_t)b->chunks.left;
    char *to = body_room(b, length);
    if (!to)
        return refuse(REFUSED_MEMORY, 0);
    memcpy(to, at, length);
    b->length += length;
    b->received += length;
    b->chunks.left -= length;
    b->complete = !b->is_chunked && b->chunks.left == 0;
    return (long)length;
}

static long body_take_trailers(body *b, const char *at, size_t length)
{
    const head_limits limits = { b->framing_limit, b->framing_limit, HEAD_MAX_HEADERS };
    char *to = body_room(b, length);
    if (!to)
        return refuse(REFUSED_MEMORY, 0);
    memcpy(to, at, length);
    b->trailers += length;
    const long size = head_scan(&b->scanner, b->at + b->length, b->trailers, &limits, NULL);
    if (size <= 0)
        return size < 0 ? size : (long)length;
    b->complete = true;
    return (long)(length - (b->trailers - (size_t)size));
}

/* Of one kind, from the front. */
static long body_take_some(body *b, const char *at, size_t length)
{
    if (b->chunks.left > 0)
        return body_take_content(b, at, length);
    if (b->chunks.last)
        return body_take_trailers(b, at, length);
    return chunked_take(&b->chunks, at, length, b->limit - b->length);
}

long body_take(body *b, const char *at, size_t length)
{
    size_t taken = 0;
    if (b->streams && length > BODY_PIECE)
        length = BODY_PIECE;
    while (taken < length && !b->complete) {
        const uint64_t before = b->received;
        const long n = body_take_some(b, at + taken, length - taken);
        if (n < 0)
            return n;
        taken += (size_t)n;
        b->framing += (size_t)n - (b->received - before);
        if (b->framing > b->framing_limit + PER_CHUNK * b->received)
            return HTTP_STATUS(431);
    }
    b->unannounced &= taken == 0;
    return (long)taken;
}

bool body_wants(const body *b) { return !b->complete && !b->err && (!b->streams || b->length == 0); }

void body_drop(body *b)
{
    if (b->trailers > 0)                     /* of which more may come */
        memmove(b->at, b->at + b->length, b->trailers);
    b->length = 0;
    b->lent = false;
}

uint64_t body_patience(const body *b, uint64_t ms)
{
    if (!b->streams)
        return ms + b->received / BODY_RATE;
    return ms > b->waited ? ms - b->waited : 0;
}

void body_waited(body *b, uint64_t ms)
{
    const uint64_t earned = b->length / BODY_RATE;
    b->waited += ms;
    b->waited -= earned < b->waited ? earned : b->waited;
}
