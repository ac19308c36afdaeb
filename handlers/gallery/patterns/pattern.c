/* pattern.c - see pattern.h: what the patterns share. */
#include "pattern.h"

#include <assert.h>
#include <stdatomic.h>
#include <time.h>

track *run_track(const run *r) { return track_here ? track_here : r->root; }
void  *run_alloc(run *r, size_t size) { return request_alloc(r->req, size); }
void   run_mark(run *r, const char *what, int line) { track_mark_at(run_track(r), what, line); }
void   plot(run *r, const char *name, int64_t value) { track_value(run_track(r), name, value); }

void figure_is(run *r, const char *name, int64_t value, const char *unit)
{
    if (r->figure_count < RUN_FIGURES)
        r->figures[r->figure_count++] = (figure){ name, unit, value };
}

/* There are names for more runs than may be at once, and not one for each: topics are kept for a while. */
text run_topic(run *r)
{
    enum { NAMES = 64 };
    static atomic_uint runs;
    return text_of(arena_printf(request_arena(r->req), "patterns/%u", atomic_fetch_add(&runs, 1) % NAMES));
}

const char *own_address(run *r, const char *path)
{
    return arena_printf(request_arena(r->req), "http://%s%s", site_address(), path);
}

/* Of the steps that are just being started on this thread, the innermost last. */
static _Thread_local struct { track *of[8]; int count; } steps;

void step_begins(run *r, const char *name, int line)
{
    assert(steps.count < (int)(sizeof steps.of / sizeof steps.of[0]));
    steps.of[steps.count++] = track_begin_at(run_track(r), name, line);
}

promise *step_ends_with(promise *p) { return track_follows(steps.of[--steps.count], p); }

static const statement SLEEP_MS = {
    .name  = "pattern_sleep",
    .sql   = "select count(*) from (select pg_sleep($1::bigint / 1000.0)) as slept",
    .reads = true,
};

static const statement COUNT_TO = {
    .name  = "pattern_count",
    .sql   = "with recursive n(i) as (select 1 union all select i + 1 from n where i < $1) select count(*) from n",
    .reads = true,
};

enum { COUNTED_IN_A_MS = 4000 };             /* about, by one processor of our days */

promise *slow_query(run *r, int ms)
{
    rows *ignored = run_alloc(r, sizeof *ignored);
    return site_on_postgres() ? query(r->req, ignored, &SLEEP_MS, integer(ms))
                              : query(r->req, ignored, &COUNT_TO, integer((int64_t)ms * COUNTED_IN_A_MS));
}

void block_for(int ms)
{
    nanosleep(&(struct timespec){ .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L }, NULL);
}

void spin_for(int ms)
{
    for (const uint64_t until = uv_hrtime() + (uint64_t)ms * 1000000; uv_hrtime() < until;)
        ;
}
