/* combine.c - see combine.h. */
#include "combine.h"
#include "server/memory.h"

#include <uv.h>

struct group {
    promise *whole;
    bool     first_wins;                     /* race; else gather */
    bool     decided;                        /* outcome is final, the rest only drains */
    int      count, waiting, outcome;
    struct part { struct group *group; promise *promise; } parts[];
};

static void cancel_parts(struct group *g)
{
    for (int i = 0; i < g->count; i++)
        if (g->parts[i].promise)
            promise_cancel(g->parts[i].promise);
}

static void part_settled(int err, void *arg)
{
    struct part  *part = arg;
    struct group *g = part->group;

    part->promise = NULL;
    if (!g->decided && (err || g->first_wins)) {
        g->decided = true;
        g->outcome = err;
        cancel_parts(g);
    }
    if (--g->waiting == 0) {
        promise_settle(g->whole, g->outcome);
        mem_free(g);
    }
}

static void cancel_group(promise *p, void *arg)
{
    struct group *g = arg;
    (void)p;
    cancel_parts(g);                         /* how they settle then decides, as ever */
}

static promise *combine(promise *parts[], int count, bool first_wins)
{
    if (count == 0)
        return promise_settled(0);
    struct group *g = mem_alloc(sizeof *g + (size_t)count * sizeof g->parts[0]);
    g->first_wins = first_wins;
    g->count = g->waiting = count;
    g->whole = promise_new(cancel_group, g);
    for (int i = 0; i < count; i++) {
        g->parts[i] = (struct part){ g, parts[i] };
        when_settled(parts[i], part_settled, &g->parts[i]);  /* runs from the loop, not in here */
    }
    return g->whole;
}

promise *promise_gather(promise *parts[], int count) { return combine(parts, count, false); }
promise *promise_race(promise *parts[], int count)   { return combine(parts, count, true); }

struct step {
    promise  *whole, *now;                   /* now: NULL between the steps */
    promise *(*next)(void *arg);             /* NULL once it has been started */
    void     *arg;
    bool      cancelled;
};

static void step_settled(int err, void *arg)
{
    struct step *s = arg;
    promise *(*next)(void *) = s->next;

    s->next = NULL;
    s->now = NULL;
    if (!err && next && s->cancelled)
        err = UV_ECANCELED;                  /* asked to stop: what has not begun does not begin */
    if (!err && next) {
        s->now = next(s->arg);
        if (s->cancelled)                    /* by next itself */
            promise_cancel(s->now);
        when_settled(s->now, step_settled, s);
        return;
    }
    promise_settle(s->whole, err);
    mem_free(s);
}

static void cancel_step(promise *p, void *arg)
{
    struct step *s = arg;
    (void)p;
    s->cancelled = true;
    if (s->now)
        promise_cancel(s->now);
}

promise *then(promise *p, promise *(*next)(void *), void *arg)
{
    struct step *s = mem_alloc(sizeof *s);
    *s = (struct step){ .now = p, .next = next, .arg = arg };
    s->whole = promise_new(cancel_step, s);
    when_settled(p, step_settled, s);
    return s->whole;
}
