/* usage.c - see usage.h. */
#include "usage.h"
#include "handlers/handlers.h"
#include "server/async/loop.h"
#include "server/base/observe/shard.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_PLACES = 4 * RECORD_PLACES };    /* of a route on all loops, that are told apart */

typedef struct collection {
    usage      *of;                          /* by label */
    usage_place (*places)[MOST_PLACES];
    int         labels;
    bool        shared;                      /* of those rings: in one process there may be both modes */
    uint64_t    since;
} collection;

#define LOAD(from) atomic_load_explicit(&(from), memory_order_relaxed)

/* recorder_clock's time, as nanoseconds. */
static double ns_of_tick(const recorder *r)
{
    const uint64_t ticks = recorder_clock() - r->tick, ns = uv_hrtime() - r->ns;
    return r->ticks && ticks ? (double)ns / (double)ticks : 1;
}

static void usage_add(usage_of *to, uint64_t count, uint64_t time, uint64_t queued, double ns)
{
    to->count += count;
    to->ns += (uint64_t)((double)time * ns);
    to->queued += (uint64_t)((double)queued * ns);
}

static void place_add(usage_place of[MOST_PLACES], const record_place_sum *s, double ns)
{
    const int32_t place = LOAD(s->place);
    const char *const what = LOAD(s->what);
    for (int i = 0; i < MOST_PLACES && place && what; i++) {
        if (of[i].place && of[i].place != place)
            continue;
        of[i].place = place;
        of[i].what = what;
        usage_add(&of[i].all, LOAD(s->count), LOAD(s->time), 0, ns);
        return;
    }
}

static void recorder_add_up(recorder *r, void *arg)
{
    collection *const c = arg;
    const double ns = ns_of_tick(r);
    if (r->shared != c->shared)
        return;
    c->since = !c->since || r->ns < c->since ? r->ns : c->since;
    for (int l = 0; l < c->labels; l++) {
        for (int kind = 0; kind < RECORD_DETAILS; kind++) {
            const record_sum *const s = &r->sums->of[l][kind];
            const bool in_ns = kind == RECORD_DATABASE || record_is_by_hrtime(kind);
            usage_add(&c->of[l].of[kind], LOAD(s->count), LOAD(s->time), LOAD(s->queued), in_ns ? 1 : ns);
        }
        for (int i = 0; i < RECORD_PLACES; i++)
            place_add(c->places[l], &r->sums->places[l][i], ns);
    }
}

/* What the recorders do not add up: requests. */
static void shard_add_up(const shard *s, void *arg)
{
    collection *const c = arg;
    for (int l = 0; l < c->labels && !s->number == c->shared; l++) {
        const shard_route *const r = atomic_load_explicit(&s->routes[l], memory_order_acquire);
        duration_sums took = { .count = 0 };
        if (r)
            duration_sums_add(&took, &r->took);
        usage_add(&c->of[l].of[RECORD_REQUEST], took.count, took.time, 0, 1);
    }
}

static usage_wait wait_of(const char *what)
{
    static const struct { const char *begins; usage_wait is; } WAITS[] = {
        { "sleep_for", USAGE_TIMERS },  { "sleep_", USAGE_TIMERS },     { "http_", USAGE_SOCKETS },
        { "respond_", USAGE_SOCKETS },  { "websocket_", USAGE_SOCKETS }, { "event_", USAGE_SOCKETS },
        { "request_", USAGE_SOCKETS },  { "writer_", USAGE_SOCKETS },   { "stream_", USAGE_SOCKETS },
        { "file_", USAGE_FILES },       { "files_", USAGE_FILES },
    };
    for (size_t i = 0; i < sizeof WAITS / sizeof WAITS[0]; i++)
        if (strncmp(what, WAITS[i].begins, strlen(WAITS[i].begins)) == 0)
            return WAITS[i].is;
    return USAGE_OTHERS;
}

static int by_time(const void *a, const void *b)
{
    const usage_place *const x = a, *const y = b;
    return (x->all.ns < y->all.ns) - (x->all.ns > y->all.ns);
}

static void count_blocked(const char *name, const label_counts *counts, void *arg)
{
    collection *const c = arg;
    for (int l = 0; l < c->labels; l++)
        if (strcmp(c->of[l].route, name) == 0)
            c->of[l].blocked = *counts;
}

/* Who awaits the database or the pool does so by functions of any name: of what is left of all awaits when these are taken off,
 * it is not known what they were for. */
static void usage_waits(usage *u, const usage_place places[MOST_PLACES])
{
    uint64_t known = u->of[RECORD_DATABASE].ns + u->of[RECORD_JOB].ns;
    for (int i = 0; i < MOST_PLACES && places[i].place; i++) {
        const usage_wait w = wait_of(places[i].what);
        u->waits[w] += w == USAGE_OTHERS ? 0 : places[i].all.ns;
        known += w == USAGE_OTHERS ? 0 : places[i].all.ns;
    }
    u->waits[USAGE_OTHERS] = u->of[RECORD_WAITED].ns > known ? u->of[RECORD_WAITED].ns - known : 0;
}

static const route *route_of(const char *name)
{
    for (int i = 0; i < ROUTE_COUNT; i++) {
        const route *const r = &ROUTES[i];
        const size_t method = strlen(r->method);
        if (strncmp(name, r->method, method) == 0 && name[method] == ' ' && strcmp(name + method + 1, r->path) == 0)
            return r;
    }
    return NULL;
}

bool usage_is_estimated(label l)
{
    const route *const r = loop_here() ? route_of(label_name(l)) : NULL;
    return r && (r->promise || r->callback);
}

int usage_read(arena *a, usage **all, uint64_t *since)
{
    collection *const c = arena_alloc(a, sizeof *c);
    int count = 0;
    c->labels = label_count();
    c->shared = !loop_here();
    c->of = arena_alloc(a, (size_t)c->labels * sizeof *c->of);
    c->places = arena_alloc(a, (size_t)c->labels * sizeof *c->places);
    for (int l = 0; l < c->labels; l++) {
        c->of[l].label = (label)l;
        c->of[l].route = label_name((label)l);
        c->of[l].is_estimated = usage_is_estimated((label)l);
    }
    recorder_each(recorder_add_up, c);
    shard_each(shard_add_up, c);
    label_each(count_blocked, c);
    for (int l = 0; l < c->labels; l++) {
        usage *const u = &c->of[l];
        u->requests = u->of[RECORD_REQUEST];
        usage_waits(u, c->places[l]);
        qsort(c->places[l], MOST_PLACES, sizeof c->places[l][0], by_time);
        memcpy(u->places, c->places[l], sizeof u->places);
        if (u->requests.count > 0)
            c->of[count++] = *u;
    }
    *all = c->of;
    *since = c->since;
    return count;
}
