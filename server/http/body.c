/* body.c - see body.h. */
#include "body.h"
#include "patience.h"
#include "server/memory.h"
#include "status.h"

enum { FIRST = 4096, PER_CHUNK = 16 };       /* what the framing of a one-byte chunk may cost */

static char *room(body *b, size_t length)
{
    const size_t used = b->length + b->trailers;
    if (used + length > b->capacity) {
        while (used + length > b->capacity)
            b->capacity = b->capacity ? 2 * b->capacity : FIRST;
        b->at = mem_resize(b->at, b->capacity);
    }
    return b->at + used;
}

static int on_content(llhttp_t *parser, const char *at, size_t length)
{
    body *b = parser->data;
    if (length > b->limit - b->length) {
        b->too_large = true;
        return HPE_USER;
    }
    memcpy(room(b, length), at, length);
    b->length += length;
    b->received += length;
    return 0;
}

static int on_chunk(llhttp_t *parser)
{
    body *b = parser->data;
    if (parser->content_length > 0)
        return 0;
    b->in_trailers = true;
    b->guard.lines = 1;                      /* headers only, no request line */
    return HPE_PAUSED;                       /* until all of them are here */
}

static int on_complete(llhttp_t *parser)
{
    body *b = parser->data;
    b->complete = true;
    return HPE_PAUSED;                       /* what follows is another request */
}

static const llhttp_settings_t on_body = { .on_chunk_header = on_chunk, .on_body = on_content, .on_message_complete = on_complete };

static void end(void *arg)
{
    body *b = arg;
    mem_free(b->at);
}

body *body_new(arena *a, const head *h, const llhttp_t *parser, size_t limit, size_t framing_limit, int *err)
{
    if (h->content_length > limit) {
        *err = HTTP_STATUS(413);
        return NULL;
    }
    body *b = arena_alloc(a, sizeof *b);
    b->parser = *parser;
    b->parser.settings = (void *)&on_body;
    b->parser.data = b;
    b->limit = limit;
    b->streams = limit == BODY_STREAMS;
    b->unannounced = h->expects_continue;
    b->framing_limit = framing_limit;
    arena_defer(a, end, b);
    return b;
}

/* Runs the parser on the bytes, up to where it pauses; how many it took, or an HTTP_STATUS error. */
static long parse(body *b, const char *at, size_t length)
{
    llhttp_resume(&b->parser);
    const llhttp_errno_t said = llhttp_execute(&b->parser, at, length);
    if (said == HPE_OK)
        return (long)length;
    if (b->too_large)
        return HTTP_STATUS(413);
    /* An Upgrade in the head is no reason to stop behind the body. */
    if (said != HPE_PAUSED && !(b->complete && said == HPE_PAUSED_UPGRADE))
        return HTTP_STATUS(400);
    return (long)(llhttp_get_error_pos(&b->parser) - at);
}

static long take_trailers(body *b, const char *at, size_t length)
{
    const guard_limits limits = { b->framing_limit, b->framing_limit, MAX_HEADERS };
    memcpy(room(b, length), at, length);
    b->trailers += length;
    const long size = guard_head(&b->guard, b->at + b->length, b->trailers, &limits);
    if (size < 0)
        return size;
    if (size == 0)
        return (long)length;
    const long parsed = parse(b, b->at + b->length, (size_t)size);
    const size_t behind = b->trailers - (size_t)size;
    return parsed < 0 ? parsed : b->complete ? (long)(length - behind) : HTTP_STATUS(400);
}

long body_take(body *b, const char *at, size_t length)
{
    size_t taken = 0;
    if (b->streams && length > BODY_PIECE)
        length = BODY_PIECE;
    while (taken < length && !b->complete) {
        const uint64_t before = b->received;
        const long n = (b->in_trailers ? take_trailers : parse)(b, at + taken, length - taken);
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
