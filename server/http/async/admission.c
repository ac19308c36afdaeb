/* admission.c - see admission.h. */
#include "admission.h"
#include "server/base/list.h"
#include "server/http/message/accept_header.h"
#include "server/http/request.h"
#include "server/base/overload/refusal.h"
#include "turn.h"

#include <assert.h>
#include <stddef.h>

enum {
    ALONE_IN_A_ROW = 4,                      /* clients that sent one request, before one of those that sent more */
    REFRESH = 10,                            /* ms for which a refusal's text is good */
};

static const uint64_t MS = 1000000;

/* What a request that needs it is told, by the limit that it met. */
static const struct { refusal wait, timeout, full, ahead; } REFUSALS_OF[NEEDS] = {
    [NEEDS_READS]  = { REFUSED_DATABASE_WAIT, REFUSED_DATABASE_TIMEOUT, REFUSED_DATABASE_LINE, REFUSED_DATABASE_AHEAD },
    [NEEDS_WRITES] = { REFUSED_DATABASE_WAIT, REFUSED_DATABASE_TIMEOUT, REFUSED_DATABASE_LINE, REFUSED_DATABASE_AHEAD },
    [NEEDS_PAGE]   = { REFUSED_PAGE_WAIT, REFUSED_PAGE_TIMEOUT, REFUSED_PAGE_LINE, REFUSED_PAGE_AHEAD },
};

static admission_queue *admission_queue_of(admission *a, const request *r) { return &a->queues[r->needs]; }
static request *request_at(wait_queue_entry *p) { return container_of(p, request, place); }

static void admission_on_timer(timer *t);

void admission_open(admission *a, const config *c)
{
    for (int i = 0; i < NEEDS; i++)
        a->queues[i] = (admission_queue){ .admission = a };
    admission_configure(a, c);
    gauge_add(&a->queues[NEEDS_READS].gauge, "requests waiting to read", &a->queues[NEEDS_READS].waiting);
    gauge_add(&a->queues[NEEDS_WRITES].gauge, "requests waiting to write", &a->queues[NEEDS_WRITES].waiting);
    gauge_add(&a->queues[NEEDS_PAGE].gauge, "requests waiting for a page", &a->queues[NEEDS_PAGE].waiting);
}

void admission_configure(admission *a, const config *c)
{
    for (int i = 0; i < NEEDS; i++) {
        codel_configure(&a->queues[i].codel, c->database.target, c->database.line_timeout);
        a->queues[i].most = c->database.line;
    }
}

void admission_close(admission *a)
{
    for (int i = 0; i < NEEDS; i++) {
        assert(a->queues[i].waiting == 0);
        gauge_remove(&a->queues[i].gauge);
        timer_stop(&a->queues[i].timer);
    }
}

bool admission_stands(const admission *a, need n) { return a->queues[n].stands; }
uint64_t admission_worth(const admission *a, need n) { return a->queues[n].worth; }

static bool admission_has_room(const admission *a, need n) { return !a->room || a->room(a->arg, n) > 0; }

/* None that could begin now is overtaken by one that comes: what they need may be the same. */
bool admission_is_open(const admission *a, need n)
{
    if (n == NEEDS_NOTHING)
        return true;
    for (int other = NEEDS_NOTHING + 1; other < NEEDS; other++)
        if (a->queues[other].waiting > 0 && ((need)other == n || admission_has_room(a, (need)other)))
            return false;
    return admission_has_room(a, n);
}

/* Until when r may wait. */
static uint64_t admission_due(const admission_queue *q, const request *r, uint64_t now)
{
    const uint64_t most = codel_longest_wait(&q->codel, now);
    const uint64_t since = r->place.since;
    return deadline_sooner(most < NO_DEADLINE - since ? since + most : NO_DEADLINE, r->deadline);
}

bool admission_enter(admission *a, request *r)
{
    admission_queue *q = admission_queue_of(a, r);
    if (admission_is_open(a, r->needs))
        return true;
    const uint64_t now = uv_hrtime();
    if (q->waiting >= q->most) {
        request_decline(r, refuse(REFUSALS_OF[r->needs].full, 0));
        return false;
    }
    if (q->waiting++ == 0)
        codel_is_empty(&q->codel, now);
    wait_queue_join(r->ahead ? &q->ahead : &q->alone, &r->place);
    r->waits = true;
    shard_add(SHARD_WAITING, 1);
    if (!timer_is_set(&q->timer))
        timer_set_at(&q->timer, admission_due(q, r, now), admission_on_timer);
    return false;
}

need admission_needs(const admission *a, const request_parser *p)
{
    if (p->needs != NEEDS_PAGE || admission_is_open(a, NEEDS_PAGE))
        return p->needs;
    arena list;
    arena_init(&list, NULL, 0);
    const bool json = accept_header_prefers(request_parser_accepts(p, &list), TEXT("application/json"), TEXT("text/html"));
    arena_done(&list);
    return json ? NEEDS_READS : NEEDS_PAGE;
}

static void admission_remove(admission_queue *q, request *r)
{
    wait_queue_leave(r->ahead ? &q->ahead : &q->alone, &r->place);
    r->place = (wait_queue_entry){ 0 };
    r->waits = false;
    shard_add(SHARD_WAITING, -1);
    if (--q->waiting == 0) {
        q->stands = false;
        timer_stop(&q->timer);
    }
}

void admission_leave(admission *a, request *r) { admission_remove(admission_queue_of(a, r), r); }

static uint64_t admission_longest_wait(const admission_queue *q, uint64_t now)
{
    uint64_t since = now;
    const wait_queue_entry *alone = wait_queue_first(&q->alone), *ahead = wait_queue_first(&q->ahead);
    if (alone)
        since = alone->since;
    if (ahead && ahead->since < since)
        since = ahead->since;
    return now > since ? now - since : 0;
}

/* The answer to a GET that is refused so, from status line to body: made anew now and then, for it is the same for all
 * but in how long the wait was. */
static text admission_refusal_text(admission *a, need n, int err, bool html, uint64_t now)
{
    typeof(a->refusals[n][html]) *made = &a->refusals[n][html];
    if (err != made->err || now >= made->until) {
        made->length = request_render_refusal(err, html, true, made->bytes, sizeof made->bytes);
        made->err = err;
        made->until = now + REFRESH * MS;
    }
    return (text){ made->bytes, made->length };
}

text admission_refusal(admission *a, need n, bool html)
{
    const uint64_t now = uv_hrtime();
    return admission_refusal_text(a, n, refuse(REFUSALS_OF[n].ahead, admission_longest_wait(&a->queues[n], now)), html, now);
}

static void admission_turn_away(admission *a, request *r, uint64_t now)
{
    admission_queue *q = admission_queue_of(a, r);
    const uint64_t waited = now - r->place.since;
    const bool late = now >= r->deadline;
    const refusal kind = codel_at_ceiling(&q->codel, waited) ? REFUSALS_OF[r->needs].timeout : REFUSALS_OF[r->needs].wait;
    admission_remove(q, r);
    const int err = late ? UV_ETIMEDOUT : refuse(kind, waited);
    const bool usual = !late && request_is_plain_get(r);
    const bool html = usual && problem_prefers_html(request_list(r, "accept"));
    request_host_here->decline(r, err, usual ? admission_refusal_text(a, r->needs, err, html, now) : TEXT(""));
}

static void admission_turn_away_late(admission *a, admission_queue *q, wait_queue *of, uint64_t now)
{
    for (wait_queue_entry *e; (e = wait_queue_first(of));) {
        if (now < admission_due(q, request_at(e), now) || turn_is_over(uv_hrtime()))
            return;
        admission_turn_away(a, request_at(e), now);
    }
}

static request *admission_next(admission_queue *q)
{
    wait_queue_entry *alone = wait_queue_first(&q->alone), *ahead = wait_queue_first(&q->ahead);
    const bool take_ahead = ahead && (!alone || q->turns >= ALONE_IN_A_ROW);
    q->turns = take_ahead ? 0 : q->turns + 1;
    return request_at(take_ahead ? ahead : alone);
}

/* When to look again, if nothing happens before: in the next turn, if this one had no time for all. */
static void admission_set_timer(admission_queue *q, uint64_t now)
{
    uint64_t first = NO_DEADLINE;
    wait_queue_entry *alone = wait_queue_first(&q->alone), *ahead = wait_queue_first(&q->ahead);
    if (alone)
        first = admission_due(q, request_at(alone), now);
    if (ahead)
        first = deadline_sooner(first, admission_due(q, request_at(ahead), now));
    timer_set_at(&q->timer, turn_is_over(now) ? now : first, admission_on_timer);
}

/* One of those that need it, late or not: better than that none is served. False if there is none, or no room. */
static bool admission_let_one_in(admission *a, need n)
{
    admission_queue *q = &a->queues[n];
    if (q->waiting == 0 || !admission_has_room(a, n))
        return false;
    request *r = admission_next(q);
    const uint64_t since = r->place.since;
    admission_remove(q, r);
    request_has_waited(r, since);
    request_host_here->begin(r);
    return true;
}

static bool admission_has_waiting(const admission *a)
{
    for (int n = NEEDS_NOTHING + 1; n < NEEDS; n++)
        if (a->queues[n].waiting > 0)
            return true;
    return false;
}

void admission_serve(admission *a)
{
    if (!admission_has_waiting(a))
        return;
    const uint64_t now = uv_hrtime();
    for (int n = NEEDS_NOTHING + 1; n < NEEDS; n++) {
        admission_queue *q = &a->queues[n];
        q->stands = q->waiting > 0 && codel_stands(&q->codel, now);
        q->worth = codel_worth(&q->codel, now, admission_longest_wait(q, now));
    }
    for (bool any = true; any && !turn_is_over(uv_hrtime());) {       /* in turn: they share the database */
        any = false;
        for (int n = NEEDS_NOTHING + 1; n < NEEDS; n++)
            any |= admission_let_one_in(a, (need)n);
    }
    for (int n = NEEDS_NOTHING + 1; n < NEEDS; n++) {
        admission_queue *q = &a->queues[n];
        admission_turn_away_late(a, q, &q->alone, now);
        admission_turn_away_late(a, q, &q->ahead, now);
        if (q->waiting > 0)
            admission_set_timer(q, now);
    }
}

static void admission_on_timer(timer *t)
{
    admission_serve(container_of(t, admission_queue, timer)->admission);
}
