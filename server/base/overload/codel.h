/* codel.h - how long one may wait in a queue, decided by how long the queue has stood.
 *
 * A queue that empties now and then is a burst: it may be long, for soon it is gone. One that has not been
 * empty for an interval stands: more comes than can be served, and to wait longer only makes all of it
 * late. Then nothing waits longer than the target. This is the idea of CoDel (K. Nichols, V. Jacobson,
 * "Controlling Queue Delay", ACM Queue 10(5), 2012; RFC 8289), in the form that suits requests, which do not slow down
 * when one of them is dropped (B. Maurer, "Fail at Scale", ACM Queue 13(8), 2015).
 *
 * What keeps the queue says when it is empty, and asks before it takes the next one. Times are nanoseconds of
 * uv_hrtime's clock. */
#ifndef CODEL_H
#define CODEL_H

#include <stdbool.h>
#include <stdint.h>

static const uint64_t CODEL_INTERVAL = 100000000;

typedef struct codel {                       /* {0}: one may wait for ever */
    uint64_t target;                         /* the longest wait while the queue stands; 0: it never does */
    uint64_t ceiling;                        /* the longest wait at any time; 0: there is none */
    uint64_t empty;                          /* when nothing waited, last */
} codel;

static inline codel codel_of_ms(uint64_t target, uint64_t ceiling)
{
    return (codel){ .target = target * 1000000, .ceiling = ceiling * 1000000 };
}

/* Other limits from now on, in milliseconds; the queue is as it was. */
static inline void codel_configure(codel *c, uint64_t target, uint64_t ceiling)
{
    c->target = target * 1000000;
    c->ceiling = ceiling * 1000000;
}

static inline void codel_is_empty(codel *c, uint64_t now) { c->empty = now; }

static inline bool codel_stands(const codel *c, uint64_t now)
{
    return c->target && now > c->empty && now - c->empty >= CODEL_INTERVAL;
}

/* How long one may have waited, by now; UINT64_MAX: for ever. */
static inline uint64_t codel_longest_wait(const codel *c, uint64_t now)
{
    const uint64_t ceiling = c->ceiling ? c->ceiling : UINT64_MAX;
    return c->target < ceiling && codel_stands(c, now) ? c->target : ceiling;
}

/* Of what one client has sent at once, to be served one after the other where each waits so long: how many are worth
 * it. As many as fit in a quarter of the target while the queue stands, but one. */
static inline uint64_t codel_worth(const codel *c, uint64_t now, uint64_t wait)
{
    const uint64_t fit = c->target / 4 / (wait + 1000000);
    return codel_stands(c, now) ? fit + !fit : UINT64_MAX;
}

/* Was it the ceiling that so long a wait met? */
static inline bool codel_at_ceiling(const codel *c, uint64_t waited) { return c->ceiling && waited >= c->ceiling; }

#endif
