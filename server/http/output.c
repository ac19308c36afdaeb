/* output.c - see output.h. */
#include "output.h"
#include "server/base/block.h"
#include "server/base/memory.h"

#include <assert.h>

/* Bytes of a chunk, itself included. A short answer alone takes a small one: when thousands wake up at once,
 * so do their answers. */
enum { SHORT = 1024, COMMON = 16 * 1024 };

static chunk *chunk_get(size_t length, bool first)
{
    const size_t need = sizeof(chunk) + length, usual = first && need <= SHORT ? SHORT : COMMON;
    size_t size;
    chunk *c = block_get(need > usual ? need : usual, &size);
    *c = (chunk){ .size = (uint32_t)(size - sizeof *c) };
    return c;
}

static _Thread_local pool shared_chunks = POOL(shared_chunk);

static void chunk_put(chunk *c)
{
    if (c->size > 0) {
        block_put(c, sizeof *c + c->size);
        return;
    }
    topic_message_release(((shared_chunk *)c)->of);
    pool_put(&shared_chunks, c);
}

static void output_add(output *o, chunk *c)
{
    if (o->last)
        o->last->next = c;
    else
        o->first = c;
    o->last = c;
}

char *output_room(output *o, size_t length)
{
    chunk *c = o->last;
    assert(length <= UINT32_MAX - sizeof *c);
    if (!c || c->size < c->used + length) {
        c = chunk_get(length, !c || c->size == 0);
        output_add(o, c);
    }
    char *room = (char *)(c + 1) + c->used;
    c->used += (uint32_t)length;
    o->length += length;
    return room;
}

void output_cut(output *o, size_t length)
{
    o->last->used -= (uint32_t)length;
    o->length -= length;
}

void output_append(output *o, text t)
{
    if (t.length > 0)                        /* a chunk without bytes would never be sent */
        memcpy(output_room(o, t.length), t.at, t.length);
}

void output_share(output *o, const topic_message *m, text form)
{
    if (form.length < OUTPUT_SHARED || form.length > UINT32_MAX) {
        output_append(o, form);
        return;
    }
    topic_message_hold(m);
    shared_chunk *c = pool_get(&shared_chunks);
    *c = (shared_chunk){ .base.used = (uint32_t)form.length, .of = m, .at = form.at };
    output_add(o, &c->base);
    o->length += form.length;
}

void output_move(output *to, output *from)
{
    if (!from->first)
        return;
    if (to->last)
        to->last->next = from->first;
    else
        to->first = from->first;
    to->last = from->last;
    to->length += from->length;
    *from = (output){ 0 };
}

void output_sent(output *o, size_t length)
{
    o->length -= length;
    for (chunk *c; (c = o->first);) {
        const uint32_t left = c->used - c->sent;
        if (length < left) {
            c->sent += (uint32_t)length;
            return;
        }
        length -= left;
        o->first = c->next;
        chunk_put(c);
    }
    o->last = NULL;
}

void output_free(output *o)
{
    for (chunk *c = o->first, *next; c; c = next) {
        next = c->next;
        chunk_put(c);
    }
    *o = (output){ 0 };
}
