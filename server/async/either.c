/* either.c - see either.h. */
#include "either.h"
#include "combine.h"
#include "loop.h"
#include "timing.h"
#include "server/base/memory.h"

#include <assert.h>
#include <string.h>

struct either {
    promise *whole, *race;
    int      count;
    int     *which;
    bool     cancelled;
    source   sources[EITHER_MOST];
};

static _Thread_local pool eithers = POOL(struct either);

static bool either_find(const source sources[], int count, int *which)
{
    for (int i = 1; i <= count; i++) {
        const int at = (int)(((unsigned)*which + (unsigned)i) % (unsigned)count);
        if (sources[at].kind->is_ready(&sources[at])) {
            *which = at;
            return true;
        }
    }
    return false;
}

/* On a loop. */

static void either_begin(struct either *e);

static void either_on_raced(int err, void *arg)
{
    struct either *e = arg;
    if (either_find(e->sources, e->count, e->which))
        err = 0;
    else if (!err && e->cancelled)
        err = UV_ECANCELED;
    else if (!err) {                         /* what was there is gone again */
        either_begin(e);
        return;
    }
    promise_settle(e->whole, err);
    pool_put(&eithers, e);
}

static void either_begin(struct either *e)
{
    promise *parts[EITHER_MOST];
    for (int i = 0; i < e->count; i++)
        parts[i] = e->sources[i].kind->ready(&e->sources[i]);
    e->race = promise_race(parts, e->count);
    when_settled(e->race, either_on_raced, e);
}

static void either_on_cancel(promise *p, void *arg)
{
    struct either *e = arg;
    (void)p;
    e->cancelled = true;
    promise_cancel(e->race);
}

static promise *either_wait(const source sources[], int count, int *which)
{
    struct either *e = pool_get(&eithers);
    *e = (struct either){ .count = count, .which = which };
    memcpy(e->sources, sources, (size_t)count * sizeof *sources);
    promise *whole = e->whole = promise_new(either_on_cancel, e);
    either_begin(e);
    return whole;
}

/* In a blocking thread. */

static int either_block(const source sources[], int count, int *which)
{
    for (int err = 0;;) {
        blocking_set set = { .until = NO_DEADLINE };
        for (int i = 0; i < count; i++)
            sources[i].kind->expect(&sources[i], &set);
        if (either_find(sources, count, which))
            return 0;
        if (err && (err != UV_ETIMEDOUT || blocking_late()))
            return err;
        err = blocking_wait_for(&set);
    }
}

promise *promise_either(const source sources[], int count, int *which)
{
    assert(count > 0 && count <= EITHER_MOST);
    if (either_find(sources, count, which))
        return promise_settled(0);
    return loop_here() ? promise_named(either_wait(sources, count, which))
                       : promise_settled(either_block(sources, count, which));
}

/* Time. */

static bool time_is_ready(const source *s) { return uv_hrtime() >= s->time; }

static promise *time_ready(const source *s)
{
    const int ms = deadline_poll_ms(s->time);
    return sleep_for(ms < 0 ? UINT64_MAX : (uint64_t)ms);
}

static void time_expect(const source *s, blocking_set *set) { set->until = deadline_sooner(set->until, s->time); }

source time_source(uint64_t time)
{
    static const source_kind kind = { time_is_ready, time_ready, time_expect };
    return (source){ .kind = &kind, .time = time };
}
