/* admission.c - see admission.h. */
#include "admission.h"
#include "server/base/blocking_wait.h"
#include "server/base/memory.h"
#include "server/base/refusal.h"

void permits_init(permits *p, int count, int line, codel patience)
{
    p->all = mem_alloc((size_t)count * sizeof *p->all);
    resource_pool_init(&p->resource_pool, line, patience);
    for (int i = 0; i < count; i++)
        resource_pool_release(&p->resource_pool, &p->all[i]);
}

void permits_done(permits *p)
{
    resource_pool_done(&p->resource_pool);
    mem_free(p->all);
}

uint64_t permits_worth(permits *p) { return resource_pool_worth(&p->resource_pool); }

int permits_take(permits *p, bool more, resource **permit)
{
    const uint64_t now = uv_hrtime();
    const int err = resource_pool_acquire(&p->resource_pool, permit, blocking_deadline(), more ? RESOURCE_POOL_MORE : RESOURCE_POOL_USUAL);
    if (err == UV_EAGAIN)
        return refuse(REFUSED_DATABASE_LINE, 0);
    if (err != UV_EBUSY)
        return err;
    const uint64_t waited = uv_hrtime() - now;
    return refuse(codel_at_ceiling(&p->resource_pool.codel, waited) ? REFUSED_DATABASE_TIMEOUT : REFUSED_DATABASE_WAIT, waited);
}

void permits_give(permits *p, resource *permit) { resource_pool_release(&p->resource_pool, permit); }
