/* permits.c - see permits.h. */
#include "permits.h"
#include "server/async/deadline.h"
#include "server/async/plain.h"
#include "server/memory.h"
#include "server/refusal.h"

static const uint64_t MS = 1000000;

void permits_init(permits *p, int count, int line, uint64_t target_ms, uint64_t ceiling_ms)
{
    *p = (permits){ .all = mem_alloc((size_t)count * sizeof *p->all), .target = target_ms * MS, .ceiling = ceiling_ms * MS };
    lender_init(&p->lender, line);
    for (int i = 0; i < count; i++)
        lender_lend(&p->lender, &p->all[i]);
}

void permits_done(permits *p)
{
    lender_done(&p->lender);
    mem_free(p->all);
}

static codel codel_of(permits *p) { return (codel){ p->target, p->ceiling, atomic_load(&p->empty) }; }

bool permits_stand(permits *p)
{
    const codel c = codel_of(p);
    return atomic_load(&p->waiting) > 0 && codel_stands(&c, uv_hrtime());
}

static int wait_for_one(permits *p, loan **permit)
{
    const uint64_t now = uv_hrtime();
    if (atomic_fetch_add(&p->waiting, 1) == 0)
        atomic_store(&p->empty, now);
    const codel c = codel_of(p);
    const uint64_t patience = codel_patience(&c, now);
    const int err = lender_borrow(&p->lender, permit, deadline_sooner(now + patience, plain_deadline()), false);
    atomic_fetch_sub(&p->waiting, 1);
    if (err == UV_EAGAIN)
        return refuse(REFUSED_DATABASE_LINE, 0);
    if (err != UV_ETIMEDOUT || plain_late())
        return err;
    return refuse(patience < p->ceiling ? REFUSED_DATABASE_WAIT : REFUSED_DATABASE_TIMEOUT, uv_hrtime() - now);
}

int permits_take(permits *p, loan **permit)
{
    loan *const idle = lender_take(&p->lender);
    if (!idle)
        return wait_for_one(p, permit);
    *permit = idle;
    return 0;
}

void permits_give(permits *p, loan *permit) { lender_lend(&p->lender, permit); }
