/* combine.c - see combine.h. */
#include "combine.h"
#include "server/base/observe/layout.h"
#include "server/base/memory.h"

#include <uv.h>

typedef enum rule { GATHER, ALL_SETTLED, RACE, ANY } rule;

struct group {
    promise *whole;
    rule     rule;
    bool     decided;                        /* outcome is final, the rest only drains */
    int      count, waiting, outcome;
    int     *outcomes;                       /* of all_settled */
    struct part { struct group *group; promise *promise; } parts[];
};

enum { FEW = 4 };                            /* parts that fit a group of the pool */

static _Thread_local pool groups = POOL_OF_SIZE(sizeof(struct group) + FEW * sizeof(struct part));

static void group_cancel_parts(struct group *g)
{
    for (int i = 0; i < g->count; i++)
        if (g->parts[i].promise)
            promise_cancel(g->parts[i].promise);
}

/* Does this outcome of a part decide that of the whole? */
static bool group_is_decided_by(const struct group *g, int err)
{
    switch (g->rule) {
    case GATHER: return err;
    case RACE:   return true;
    case ANY:    return !err;
    default:     return false;
    }
}

static void part_on_settled(int err, void *arg)
{
    struct part  *part = arg;
    struct group *g = part->group;

    part->promise = NULL;
    if (g->outcomes)
        g->outcomes[part - g->parts] = err;
    if (!g->decided && group_is_decided_by(g, err)) {
        g->decided = true;
        g->outcome = err;
        group_cancel_parts(g);
    } else if (!g->decided && g->rule == ANY && !g->outcome) {
        g->outcome = err;                    /* the first, in case none succeeds */
    }
    if (--g->waiting > 0)
        return;
    promise_settle(g->whole, g->outcome);
    if (g->count <= FEW)
        pool_put(&groups, g);
    else
        mem_free(g);
}

static void group_on_cancel(promise *p, void *arg)
{
    struct group *g = arg;
    (void)p;
    group_cancel_parts(g);                   /* how they settle then decides, as ever */
}

static const layout_entry GROUP_LAYOUT[] LAYOUT_ENTRIES = {
    LAYOUT_ADDRESS("follow.group.cancel", group_on_cancel),
    LAYOUT_FIELD("follow.group.count", struct group, count),
    { "follow.group.parts", sizeof(struct part), { .offset = offsetof(struct group, parts) }, 0 },
    LAYOUT_FIELD("follow.group.part", struct part, promise),
};

static promise *group_start(promise *parts[], int count, rule rule, int *outcomes)
{
    if (count == 0)
        return promise_settled(rule == ANY ? UV_EINVAL : 0);
    const size_t size = sizeof(struct group) + (size_t)count * sizeof(struct part);
    struct group *g = count <= FEW ? pool_get(&groups) : mem_resize(NULL, size);
    *g = (struct group){ .rule = rule, .count = count, .waiting = count, .outcomes = outcomes };
    g->whole = promise_new(group_on_cancel, g);
    for (int i = 0; i < count; i++) {
        g->parts[i] = (struct part){ g, parts[i] };
        when_settled(parts[i], part_on_settled, &g->parts[i]); /* runs from the loop, not in here */
    }
    return g->whole;
}

promise *promise_gather(promise *parts[], int count) { return promise_named(group_start(parts, count, GATHER, NULL)); }
promise *promise_race(promise *parts[], int count)   { return promise_named(group_start(parts, count, RACE, NULL)); }
promise *promise_any(promise *parts[], int count)    { return promise_named(group_start(parts, count, ANY, NULL)); }

promise *promise_all_settled(promise *parts[], int outcomes[], int count)
{
    return promise_named(group_start(parts, count, ALL_SETTLED, outcomes));
}
