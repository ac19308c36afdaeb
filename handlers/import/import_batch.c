/* import_batch.c - see import_batch.h. */
#include "import_batch.h"
#include "server/base/buffer.h"
#include "server/http/message/status.h"
#include "server/base/memory.h"

#include <assert.h>

import_batch *import_batch_new(uint64_t first)
{
    import_batch *b = mem_resize(NULL, sizeof *b);
    b->first = b->last = first;
    b->count = b->good = 0;
    b->bytes = NULL;
    b->length = b->capacity = 0;
    b->json = TEXT("");
    arena_init(&b->arena, NULL, 0);
    return b;
}

void import_batch_free(import_batch *b)
{
    arena_done(&b->arena);
    if (b->bytes)
        block_put(b->bytes, b->capacity);
    mem_free(b);
}

bool import_batch_is_full(const import_batch *b) { return b->count == IMPORT_BATCH_LINES || b->length >= IMPORT_BATCH_BYTES; }

static void batch_grow(import_batch *b, size_t least)
{
    size_t capacity;
    char *const grown = block_get(least > BLOCK_LARGEST ? least : BLOCK_LARGEST, &capacity);
    if (b->bytes) {
        memcpy(grown, b->bytes, b->length);
        block_put(b->bytes, b->capacity);
    }
    b->bytes = grown;
    b->capacity = capacity;
}

void import_batch_add(import_batch *b, uint64_t number, text line)
{
    assert(!import_batch_is_full(b));
    if (b->length + line.length > b->capacity)
        batch_grow(b, b->length + line.length);
    memcpy(b->bytes + b->length, line.at, line.length);
    b->lines[b->count++] = (import_line){ .number = number, .from = b->length, .to = b->length + line.length };
    b->length += line.length;
    b->last = number;
}

static int line_read(const json_t *object, int64_t *user, post *p, char why[POST_WHY])
{
    const json_t *id = json_object_get(object, "user_id");
    if (!json_is_integer(id)) {
        strcpy(why, "A line is an object with the whole number user_id and the strings title and body.");
        return HTTP_STATUS(422);
    }
    *user = json_integer_value(id);
    const int err = post_of(object, p, why);
    return err ? err : post_check(p, why);
}

static void line_write(buffer *json, import_line *l, const post *p)
{
    l->from = json->length;
    buffer_text(json, TEXT("{\"user\":"));
    buffer_int(json, l->user);
    buffer_text(json, TEXT(",\"title\":"));
    buffer_json(json, p->title);
    buffer_text(json, TEXT(",\"body\":"));
    buffer_json(json, p->body);
    buffer_text(json, TEXT("}"));
    l->to = json->length;
    buffer_text(json, TEXT(","));
}

/* True if it is good, and behind the JSON of those before it. */
static bool line_check(import_batch *b, import_line *l, buffer *json)
{
    char why[POST_WHY];
    json_t *object;
    post p;
    int err = post_parse((text){ b->bytes + l->from, l->to - l->from }, &object, why);
    if (!err) {
        err = line_read(object, &l->user, &p, why);
        if (!err)
            line_write(json, l, &p);
        json_decref(object);
    }
    if (err)
        l->why = arena_copy(&b->arena, text_of(why));
    return !err;
}

int import_batch_check(void *arg)
{
    import_batch *b = arg;
    buffer json;
    buffer_init(&json, &b->arena);
    buffer_room(&json, b->length);
    for (int i = 0; i < b->count; i++) {
        import_line l = b->lines[i];
        if (line_check(b, &l, &json)) {      /* the good ones come first */
            b->lines[i] = b->lines[b->good];
            b->lines[b->good++] = l;
        } else {
            b->lines[i] = l;
        }
    }
    b->json = buffer_all(&json);
    return 0;
}

text import_batch_json(const import_batch *b, int from, int to, arena *a)
{
    const size_t begin = b->lines[from].from, length = b->lines[to - 1].to - begin;
    char *all = arena_room(a, length + 2);
    all[0] = '[';
    memcpy(all + 1, b->json.at + begin, length);
    all[length + 1] = ']';
    return (text){ all, length + 2 };
}
