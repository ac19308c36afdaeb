/* seen.c - see seen.h. */
#include "seen.h"
#include "server/base/memory.h"

#include <string.h>

void *seen_add(void **array, size_t *count, size_t *room, size_t size)
{
    if (*count == *room) {
        *room = *room ? 2 * *room : 64;
        *array = mem_resize(*array, *room * size);
    }
    void *const added = (char *)*array + (*count)++ * size;
    memset(added, 0, size);
    return added;
}

uint64_t seen_pointer(target *t, uint64_t at)
{
    uint64_t value = 0;
    return target_read(t, at, &value, sizeof value) ? value : 0;
}

const char *seen_label(target *t, uint64_t label)
{
    enum { MOST = 65536 };
    const uint64_t all = target_field_of(t, "labels").offset;
    const size_t size = target_field_of(t, "label").size, name = target_field_of(t, "label.name").offset;
    return label < MOST ? target_text(t, seen_pointer(t, all + label * size + name)) : "?";
}

void seen_count_queries(const snapshot *s, size_t *all, size_t *queued)
{
    *all = *queued = 0;
    for (size_t i = 0; i < s->wait_count; i++) {
        *all += s->waits[i].name != NULL;
        *queued += s->waits[i].name && s->waits[i].queued;
    }
}
