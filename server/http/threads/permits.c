/* permits.c - see permits.h. */
#include "permits.h"
#include "server/base/plain.h"
#include "server/base/memory.h"
#include "server/base/refusal.h"

void permits_init(permits *p, int count, int line, codel patience)
{
    p->all = mem_alloc((size_t)count * sizeof *p->all);
    lender_init(&p->lender, line, patience);
    for (int i = 0; i < count; i++)
        lender_lend(&p->lender, &p->all[i]);
}

void permits_done(permits *p)
{
    lender_done(&p->lender);
    mem_free(p->all);
}

uint64_t permits_worth(permits *p) { return lender_worth(&p->lender); }

int permits_take(permits *p, bool more, loan **permit)
{
    const uint64_t now = uv_hrtime();
    const int err = lender_borrow(&p->lender, permit, plain_deadline(), more ? LENDER_MORE : LENDER_USUAL);
    if (err == UV_EAGAIN)
        return refuse(REFUSED_DATABASE_LINE, 0);
    if (err != UV_EBUSY)
        return err;
    const uint64_t waited = uv_hrtime() - now;
    return refuse(codel_at_ceiling(&p->lender.codel, waited) ? REFUSED_DATABASE_TIMEOUT : REFUSED_DATABASE_WAIT, waited);
}

void permits_give(permits *p, loan *permit) { lender_lend(&p->lender, permit); }
