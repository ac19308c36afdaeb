/* rings.c - see rings.h. */
#include "rings.h"
#include "list_walk.h"
#include "seen.h"
#include "server/base/memory.h"

#include <stdio.h>
#include <uv.h>

enum { LABELS = 1024, MOST_RECORDS = 1 << 25, MOST_RINGS = 4096 };

static const uint64_t WINDOW = 10000000000;  /* nanoseconds that are told of, up to the last entry of a recorder */

/* A recorder, as it was read. */
typedef struct ring {
    char     name[64];
    pid_t    thread;
    bool     ticks;
    uint64_t tick, ns, count, next, records; /* records: where they are, in the target */
} ring;

struct rings {
    target      *target;
    int          count;
    const char  *labels[LABELS];             /* those that were read */
    size_t       record_size;
    target_field since, end, what, request, value, label, kind, queued, place;
    ring         each[MOST_RINGS];
};

static void rings_begin(void *arg) { ((rings *)arg)->count = 0; }

static void ring_show(uint64_t at, const void *copy, void *arg)
{
    rings *const r = arg;
    target *const t = r->target;
    const size_t size = target_field_of(t, "recorder").size;
    if (r->count == MOST_RINGS)
        return;
    ring *const g = &r->each[r->count++];
    *g = (ring){
        .thread = (pid_t)target_number(copy, size, target_field_of(t, "recorder.thread")),
        .ticks = target_number(copy, size, target_field_of(t, "recorder.ticks")),
        .tick = target_number(copy, size, target_field_of(t, "recorder.tick")),
        .ns = target_number(copy, size, target_field_of(t, "recorder.ns")),
        .count = target_number(copy, size, target_field_of(t, "recorder.count")),
        .next = at + target_field_of(t, "recorder.next").offset,
        .records = at + target_field_of(t, "recorder.records").offset,
    };
    snprintf(g->name, sizeof g->name, "%s", target_text(t, target_number(copy, size, target_field_of(t, "recorder.name"))));
}

int rings_open(rings **made, target *t, char *why, size_t size)
{
    rings *const r = mem_alloc(sizeof *r);
    r->target = t;
    r->record_size = target_field_of(t, "record").size;
    r->since = target_field_of(t, "record.since");
    r->end = target_field_of(t, "record.end");
    r->what = target_field_of(t, "record.what");
    r->request = target_field_of(t, "record.request");
    r->value = target_field_of(t, "record.value");
    r->label = target_field_of(t, "record.label");
    r->kind = target_field_of(t, "record.kind");
    r->queued = target_field_of(t, "record.queued");
    r->place = target_field_of(t, "record.place");
    list_walk_run(&(list_walk){ .target = t, .list = target_field_of(t, "recorders").offset,
                                .size = target_field_of(t, "recorder").size, .node = target_field_of(t, "recorder.node"),
                                .begin = rings_begin, .show = ring_show, .arg = r });
    if (r->count == 0 || r->record_size < sizeof(record)) {
        snprintf(why, size, "process %d has no recorder ([log] recorder)", (int)target_process(t));
        mem_free(r);
        return UV_ENOENT;
    }
    *made = r;
    return 0;
}

void        rings_close(rings *r)                { mem_free(r); }
int         rings_count(const rings *r)          { return r->count; }
pid_t       ring_thread(const rings *r, int i)   { return r->each[i].thread; }
const char *ring_name(const rings *r, int i)     { return r->each[i].name; }

/* Its clock, as nanoseconds of uv_hrtime's: between two points at which both are known, then and now. */
typedef struct rate { bool ticks; uint64_t tick, ns; double ns_per_tick; } rate;

static rate rate_of(const ring *g)
{
    const uint64_t tick = recorder_clock_of(g->ticks), ns = uv_hrtime();
    const bool known = g->ticks && tick > g->tick && ns > g->ns;
    return (rate){ g->ticks, tick, ns, known ? (double)(ns - g->ns) / (double)(tick - g->tick) : 1 };
}

static uint64_t ns_of(const rate *f, uint64_t clock)
{
    if (!f->ticks)
        return clock;
    return f->ns - (uint64_t)(int64_t)(((double)f->tick - (double)clock) * f->ns_per_tick);
}

static const char *rings_label(rings *r, uint64_t label)
{
    if (label >= LABELS)
        return "?";
    if (!r->labels[label])
        r->labels[label] = seen_label(r->target, label);
    return r->labels[label];
}

/* False: another has been written over it, or half of it; or it is too old. */
static bool entry_decode(rings *r, const rate *f, const char *copy, uint64_t least, recorded *e)
{
    const size_t size = r->record_size;
    const uint64_t kind = target_number(copy, size, r->kind), said = target_number(copy, size, r->since);
    if (kind == RECORD_NONE || kind >= RECORD_DETAILS)
        return false;
    *e = (recorded){
        .kind = (record_kind)kind, .end = ns_of(f, target_number(copy, size, r->end)),
        .since = record_is_by_hrtime((int)kind) ? said : ns_of(f, said),
        .value = (int32_t)target_number(copy, size, r->value), .label = (uint16_t)target_number(copy, size, r->label),
        .request = (uint16_t)target_number(copy, size, r->request), .place = "", .what = "",
    };
    if (e->end < least || e->end > f->ns + WINDOW || e->since > e->end)
        return false;
    e->whom = rings_label(r, e->label);
    if (kind != RECORD_REQUEST && kind != RECORD_TURN)
        e->what = target_text(r->target, target_number(copy, size, r->what));
    if (kind == RECORD_QUERY || kind == RECORD_JOB)
        e->queued = (e->end - e->since) / 255 * target_number(copy, size, r->queued);
    if (kind == RECORD_WAITED && e->value && r->place.offset != UINT64_MAX)
        e->place = target_place(r->target, r->place.offset + (uint64_t)(int64_t)e->value);
    return true;
}

/* A copy of the entries of a ring that were not written over meanwhile: from *first on, up to its end. The caller's. */
static char *ring_read(rings *r, const ring *g, uint64_t *first, uint64_t *next)
{
    const size_t size = g->count * r->record_size;
    char *const copy = mem_alloc(size);
    *next = seen_pointer(r->target, g->next);
    const bool read = target_read(r->target, g->records, copy, size);
    const uint64_t after = seen_pointer(r->target, g->next);
    *first = after >= g->count ? after - g->count + 1 : 0;   /* the oldest may be the one that is being written */
    if (!read || *first > *next)
        *first = *next;
    return copy;
}

void ring_each(rings *r, int i, bool (*show)(const recorded *e, void *arg), void *arg)
{
    const ring *const g = &r->each[i];
    uint64_t at, next;
    recorded e;
    bool more = true;
    if (!g->count || g->count > MOST_RECORDS || g->count & (g->count - 1))
        return;
    char *const copy = ring_read(r, g, &at, &next);
    const rate f = rate_of(g);
    const char *const last = copy + ((next - 1) & (g->count - 1)) * r->record_size;
    const uint64_t end = next > at ? ns_of(&f, target_number(last, r->record_size, r->end)) : 0;
    const uint64_t least = end > WINDOW ? end - WINDOW : 0;
    for (; at < next && more; at++)
        if (entry_decode(r, &f, copy + (at & (g->count - 1)) * r->record_size, least, &e))
            more = show(&e, arg);
    mem_free(copy);
}
