/* waits.c - see waits.h: promises, and what they wait for, level by level, many at once.
 *
 * What a promise waits for is told by its cancel function (layout.h, follow.KIND): nothing here knows of gather, then, or a
 * query. */
#include "waits.h"
#include "server/base/memory.h"

#include <stdio.h>
#include <string.h>

enum { KINDS = 64, DEEPEST = 64, MOST_WAITS = 500000, MOST_PARTS = 100000, LARGEST = 4096, AT_ONCE = 512 };

typedef struct kind {
    char         name[24];
    uint64_t     cancel;
    target_field promise, count, parts, part, names[3], queued, sent;
    size_t       size;                       /* of its struct, as far as it is looked at */
} kind;

struct waits {
    snapshot          *s;
    const address_map *tasks;
    kind               kinds[KINDS];
    int                kind_count;
    size_t             promise_size, done;   /* done: waits whose parts have been read */
    uint64_t           task_cancel;
    target_field       cancel, cancel_arg, has_room, maker, place;
};

static const target_field NO_FIELD = { UINT64_MAX, 0 };

static kind *kind_of_name(waits *w, const char *name, size_t length)
{
    for (int i = 0; i < w->kind_count; i++)
        if (strlen(w->kinds[i].name) == length && strncmp(w->kinds[i].name, name, length) == 0)
            return &w->kinds[i];
    if (w->kind_count == KINDS || length >= sizeof w->kinds[0].name)
        return NULL;
    kind *const k = &w->kinds[w->kind_count++];
    *k = (kind){ .promise = NO_FIELD, .count = NO_FIELD, .parts = NO_FIELD, .part = NO_FIELD,
                 .names = { NO_FIELD, NO_FIELD, NO_FIELD }, .queued = NO_FIELD, .sent = NO_FIELD };
    memcpy(k->name, name, length);
    return k;
}

/* Of "group.count". */
static void kind_set(const char *name, target_field f, void *arg)
{
    waits *const w = arg;
    const char *const dot = strchr(name, '.');
    kind *const k = dot ? kind_of_name(w, name, (size_t)(dot - name)) : NULL;
    if (!k)
        return;
    const struct { const char *name; target_field *field; bool own; } fields[] = {
        { "promise", &k->promise, true }, { "count", &k->count, true },   { "parts", &k->parts, false },
        { "part", &k->part, false },      { "name", &k->names[0], true }, { "name2", &k->names[1], false },
        { "name3", &k->names[2], false }, { "queued", &k->queued, true }, { "sent", &k->sent, true },
    };
    if (strcmp(dot + 1, "cancel") == 0)
        k->cancel = f.offset;
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        if (strcmp(dot + 1, fields[i].name) != 0)
            continue;
        *fields[i].field = f;
        if (fields[i].own && f.offset < LARGEST && f.offset + f.size > k->size)
            k->size = f.offset + f.size;
    }
}

static const kind *kind_of(const waits *w, uint64_t cancel)
{
    for (int i = 0; i < w->kind_count; i++)
        if (cancel && w->kinds[i].cancel == cancel && w->kinds[i].size && w->kinds[i].size <= LARGEST)
            return &w->kinds[i];
    return NULL;
}

waits *waits_new(snapshot *s, const address_map *tasks)
{
    waits *const w = mem_alloc(sizeof *w);
    w->s = s;
    w->tasks = tasks;
    w->promise_size = target_field_of(s->target, "promise").size;
    w->cancel = target_field_of(s->target, "promise.cancel");
    w->cancel_arg = target_field_of(s->target, "promise.cancel_arg");
    w->has_room = target_field_of(s->target, "promise.has_room");
    w->maker = target_field_of(s->target, "promise.maker");
    w->place = target_field_of(s->target, "promise.place");
    w->task_cancel = target_field_of(s->target, "task.cancel").offset;
    target_each(s->target, "follow.", kind_set, w);
    return w;
}

void waits_free(waits *w) { mem_free(w); }

int waits_add(waits *w, uint64_t promise)
{
    if (!promise || w->s->wait_count == MOST_WAITS)
        return -1;
    seen_wait *const n = SEEN_ADD(w->s, wait);
    *n = (seen_wait){ .promise = promise, .maker = "?", .task = -1, .first = -1, .next = -1 };
    return (int)w->s->wait_count - 1;
}

static void wait_add_part(waits *w, size_t whole, uint64_t promise, int *last)
{
    const int part = waits_add(w, promise);
    if (part < 0)
        return;
    if (*last >= 0)
        w->s->waits[*last].next = part;
    else
        w->s->waits[whole].first = part;
    *last = part;
}

static void wait_add_parts(waits *w, size_t whole, const kind *k, uint64_t group, const void *copy)
{
    const uint64_t said = target_number(copy, k->size, k->count), count = said < MOST_PARTS ? said : 0;
    const size_t step = k->parts.size;
    if (k->count.size < 8 && said > INT32_MAX)
        return;
    if (!count || !step || step > LARGEST)
        return;
    char *const parts = mem_alloc(count * step);
    int last = -1;
    if (target_read(w->s->target, group + k->parts.offset, parts, count * step))
        for (uint64_t i = 0; i < count; i++)
            wait_add_part(w, whole, target_number(parts + i * step, step, k->part), &last);
    mem_free(parts);
}

static const char *wait_name(waits *w, const kind *k, const void *copy)
{
    uint64_t at = target_number(copy, k->size, k->names[0]);
    for (int i = 1; i < 3 && at && k->names[i].size; i++)
        at = seen_pointer(w->s->target, at + k->names[i].offset);
    return at ? target_text(w->s->target, at) : "?";
}

static void wait_follow(waits *w, size_t number, const kind *k, uint64_t arg)
{
    char copy[LARGEST];
    if (!target_read(w->s->target, arg, copy, k->size))
        return;
    int last = -1;
    if (k->promise.size)
        wait_add_part(w, number, target_number(copy, k->size, k->promise), &last);
    if (k->count.size)
        wait_add_parts(w, number, k, arg, copy);
    if (!k->names[0].size)
        return;
    const char *const name = wait_name(w, k, copy);
    w->s->waits[number].name = name;
    w->s->waits[number].queued = (k->queued.size && target_number(copy, k->size, k->queued)) ||
                                 (k->sent.size && !target_number(copy, k->size, k->sent));
}

static void wait_read(waits *w, size_t number, const void *copy)
{
    const size_t size = w->promise_size;
    seen_wait *const n = &w->s->waits[number];
    const bool has_room = target_number(copy, size, w->has_room);
    const uint64_t cancel = target_number(copy, size, w->cancel);
    const uint64_t arg = has_room ? n->promise + w->cancel_arg.offset : target_number(copy, size, w->cancel_arg);
    const int task = address_map_find(w->tasks, arg);
    const uint64_t maker = target_number(copy, size, w->maker);
    n->maker = target_text(w->s->target, maker);
    n->place = target_number(copy, size, w->place);
    if (task >= 0 && (cancel == w->task_cancel || !cancel))  /* one that was cancelled has none any more */
        n->task = task;
    const kind *const k = kind_of(w, cancel);
    if (k)
        wait_follow(w, number, k, arg);
}

/* So many of them, from the one that is next. */
static void waits_read_some(waits *w, size_t count)
{
    target_piece pieces[AT_ONCE];
    char *const copies = mem_alloc(count * w->promise_size);
    for (size_t i = 0; i < count; i++)
        pieces[i] = (target_piece){ w->s->waits[w->done + i].promise, copies + i * w->promise_size, w->promise_size, false };
    target_read_all(w->s->target, pieces, count);
    for (size_t i = 0; i < count; i++)
        if (pieces[i].read)
            wait_read(w, w->done + i, pieces[i].to);
    w->done += count;
    mem_free(copies);
}

void waits_read(waits *w)
{
    if (w->promise_size == 0 || w->promise_size > LARGEST)
        return;
    for (int depth = 0; depth < DEEPEST && w->done < w->s->wait_count; depth++)
        for (const size_t end = w->s->wait_count; w->done < end;)
            waits_read_some(w, end - w->done < AT_ONCE ? end - w->done : AT_ONCE);
}
