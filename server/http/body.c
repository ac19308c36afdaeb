/* body.c - see body.h. */
#include "body.h"
#include "guard.h"
#include "server/memory.h"
#include "status.h"

enum { FIRST = 4096, PER_CHUNK = 16 };       /* what the framing of a one-byte chunk may cost */

static int on_content(llhttp_t *parser, const char *at, size_t length)
{
    body *b = parser->data;
    if (length > b->limit - b->length) {
        b->too_large = true;
        return HPE_USER;
    }
    if (b->length + length > b->capacity) {
        while (b->length + length > b->capacity)
            b->capacity = b->capacity ? 2 * b->capacity : FIRST;
        b->at = mem_resize(b->at, b->capacity);
    }
    memcpy(b->at + b->length, at, length);
    b->length += length;
    return 0;
}

/* llhttp would let trailers fold, and end in ways that another program may see differently: so it stops
 * before them, and a byte at a time is good enough for what hardly anybody sends. */
enum trailers { NONE, LINE_START, NAME, VALUE, VALUE_CR, LAST_CR };

static int on_chunk(llhttp_t *parser)
{
    body *b = parser->data;
    if (parser->content_length > 0)
        return 0;
    b->trailers = LINE_START;
    return HPE_PAUSED;
}

/* Returns how many bytes it took, or -1. */
static long take_trailers(body *b, const char *at, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        const char c = at[i];
        switch ((enum trailers)b->trailers) {
        case NONE:
        case LINE_START:
            if (c != '\r' && !guard_is_token(c))
                return -1;
            b->trailers = c == '\r' ? LAST_CR : NAME;
            break;
        case NAME:
            if (c != ':' && !guard_is_token(c))
                return -1;
            b->trailers = c == ':' ? VALUE : NAME;
            break;
        case VALUE:
            if (((unsigned char)c < 0x20 && c != '\t' && c != '\r') || c == 0x7f)
                return -1;
            b->trailers = c == '\r' ? VALUE_CR : VALUE;
            break;
        case VALUE_CR:
        case LAST_CR:
            if (c != '\n')
                return -1;
            if (b->trailers == LAST_CR) {
                b->complete = true;
                return (long)i + 1;
            }
            b->trailers = LINE_START;
        }
    }
    return (long)length;
}

static int on_complete(llhttp_t *parser)
{
    body *b = parser->data;
    b->complete = true;
    return HPE_PAUSED;                       /* what follows is another request */
}

static const llhttp_settings_t on_body = { .on_body = on_content, .on_chunk_header = on_chunk, .on_message_complete = on_complete };

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
    b->framing_limit = framing_limit;
    arena_defer(a, end, b);
    return b;
}

/* All but trailers. Returns how many bytes it took, or -1. */
static long take_content(body *b, const char *at, size_t length)
{
    const llhttp_errno_t said = llhttp_execute(&b->parser, at, length);
    if (said == HPE_OK)
        return (long)length;
    /* At its end it is paused behind its last byte; an Upgrade in the head is no reason to stop there. */
    return b->complete || b->trailers ? (long)(llhttp_get_error_pos(&b->parser) - at) : -1;
}

long body_take(body *b, const char *at, size_t length)
{
    const size_t before = b->length;
    size_t taken = 0;

    while (taken < length && !b->complete) {
        const long n = (b->trailers ? take_trailers : take_content)(b, at + taken, length - taken);
        if (n < 0)
            return b->too_large ? HTTP_STATUS(413) : HTTP_STATUS(400);
        taken += (size_t)n;
    }
    b->framing += taken - (b->length - before);
    if (b->framing > b->framing_limit + PER_CHUNK * b->length)
        return HTTP_STATUS(431);
    return (long)taken;
}
