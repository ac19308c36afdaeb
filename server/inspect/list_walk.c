/* list_walk.c - see list_walk.h. */
#include "list_walk.h"
#include "seen.h"
#include "server/base/memory.h"

enum { LARGEST = 65536, MOST_NODES = 1000000, ATTEMPTS = 40 };

static bool list_walk_try(const list_walk *w, char *copy)
{
    const uint64_t next = target_field_of(w->target, "node.next").offset;
    const target_field link = target_field_of(w->target, "node.link");
    uint64_t from = w->list, node = seen_pointer(w->target, from);
    for (int i = 0; node && i < MOST_NODES; i++) {
        const uint64_t at = node - w->node.offset;
        const target_field back = { w->node.offset + link.offset, link.size };
        if (!target_read(w->target, at, copy, w->size) || target_number(copy, w->size, back) != from)
            return false;
        w->show(at, copy, w->arg);
        from = node + next;
        node = target_number(copy, w->size, (target_field){ w->node.offset + next, sizeof node });
    }
    return !node;
}

bool list_walk_run(const list_walk *w)
{
    if (!w->list || w->size == 0 || w->size > LARGEST || w->node.offset > w->size)
        return false;
    char *const copy = mem_alloc(w->size);
    bool whole = false;
    for (int i = 0; i < ATTEMPTS && !whole; i++) {
        if (w->begin)
            w->begin(w->arg);
        whole = list_walk_try(w, copy);
    }
    mem_free(copy);
    return whole;
}
