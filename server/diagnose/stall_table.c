/* stall_table.c - see stall_table.h. */
#include "stall_table.h"
#include "server/base/observe/layout.h"

#include <string.h>

enum { ENTRIES = 512, PROBES = 16, MINUTE = 60000 };

static stall_entry table[ENTRIES + 1];       /* the last: all for which there was no room */

static struct { uint64_t since, logged, held; } told[LABELS];        /* in the minute since then */

static const layout_entry STALL_LAYOUT[] LAYOUT_ENTRIES = {
    { "stalls", sizeof table, { .address = table }, 0 },
    LAYOUT_SIZE("stall", stall_entry),
    LAYOUT_FIELD("stall.times", stall_entry, times),
    LAYOUT_FIELD("stall.ms", stall_entry, ms),
    LAYOUT_FIELD("stall.count", stall_entry, count),
    LAYOUT_FIELD("stall.frames", stall_entry, frames),
    LAYOUT_FIELD("stall.label", stall_entry, label),
};

static uint64_t stack_hash(label l, const uintptr_t frames[], size_t count)
{
    uint64_t hash = l + UINT64_C(0x9e3779b97f4a7c15);
    for (size_t i = 0; i < count; i++)
        hash = (hash ^ frames[i]) * UINT64_C(0x100000001b3);
    return hash ^ hash >> 32;
}

static bool stall_is(const stall_entry *e, label l, const uintptr_t frames[], size_t count)
{
    return e->label == l && e->count == count && memcmp(e->frames, frames, count * sizeof frames[0]) == 0;
}

stall_entry *stall_table_count(label l, const stack_sample *sample)
{
    static const uintptr_t NOWHERE[1];
    const size_t count = sample ? (size_t)sample->count : 0;
    const uintptr_t *const frames = sample ? sample->frames : NOWHERE;
    const uint64_t hash = stack_hash(l, frames, count);
    stall_entry *e = &table[ENTRIES];
    for (int i = 0; i < PROBES; i++) {
        stall_entry *const at = &table[(hash + (uint64_t)i) % ENTRIES];
        if (at->times && !stall_is(at, l, frames, count))
            continue;
        e = at;
        if (!e->times) {
            e->label = l;
            e->count = count;
            memcpy(e->frames, frames, count * sizeof frames[0]);
        }
        break;
    }
    e->times++;
    return e;
}

bool stall_table_may_log(label l, uint64_t now, uint64_t *held)
{
    if (!told[l].logged || now - told[l].since >= MINUTE) {
        told[l].since = now;
        told[l].logged = 0;
    }
    if (told[l].logged == STALLS_A_MINUTE) {
        told[l].held++;
        return false;
    }
    told[l].logged++;
    *held = told[l].held;
    told[l].held = 0;
    return true;
}
