/* body.c - see body.h. */
#include "body.h"
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

static int on_complete(llhttp_t *parser)
{
    body *b = parser->data;
    b->complete = true;
    return HPE_PAUSED;                       /* what follows is another request */
}

static const llhttp_settings_t on_body = { .on_body = on_content, .on_message_complete = on_complete };

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

long body_take(body *b, const char *at, size_t length)
{
    const size_t before = b->length;
    const llhttp_errno_t said = llhttp_execute(&b->parser, at, length);

    if (b->too_large)
        return HTTP_STATUS(413);
    if (said != HPE_OK && !b->complete)
        return HTTP_STATUS(400);
    /* Complete, it is paused behind its last byte; an Upgrade in the head is no reason to stop there. */
    const size_t taken = said == HPE_OK ? length : (size_t)(llhttp_get_error_pos(&b->parser) - at);
    b->framing += taken - (b->length - before);
    if (b->framing > b->framing_limit + PER_CHUNK * b->length)
        return HTTP_STATUS(431);
    return (long)taken;
}
