/* admission.c - see admission.h. */
#include "admission.h"
#include "server/base/blocking_wait.h"
#include "server/base/memory.h"
#include "server/base/overload/refusal.h"

void thread_admission_init(thread_admission *a, int permits, int waiting, codel codel)
{
    a->permits = mem_alloc((size_t)permits * sizeof *a->permits);
    resource_pool_init(&a->pool, waiting, codel);
    for (int i = 0; i < permits; i++)
        resource_pool_release(&a->pool, &a->permits[i]);
}

void thread_admission_configure(thread_admission *a, int waiting, uint64_t target, uint64_t ceiling)
{
    resource_pool_configure(&a->pool, waiting, target, ceiling);
}

void thread_admission_done(thread_admission *a)
{
    resource_pool_done(&a->pool);
    mem_free(a->permits);
}

uint64_t thread_admission_worth(thread_admission *a) { return resource_pool_worth(&a->pool); }

int thread_admission_acquire(thread_admission *a, bool more, resource **permit)
{
    const uint64_t now = uv_hrtime();
    const resource_pool_turn turn = more ? RESOURCE_POOL_MORE : RESOURCE_POOL_USUAL;
    const int err = resource_pool_acquire(&a->pool, permit, blocking_deadline(), turn);
    if (err == UV_EAGAIN)
        return refuse(REFUSED_DATABASE_LINE, 0);
    if (err != UV_EBUSY)
        return err;
    const uint64_t waited = uv_hrtime() - now;
    return refuse(resource_pool_at_ceiling(&a->pool, waited) ? REFUSED_DATABASE_TIMEOUT : REFUSED_DATABASE_WAIT, waited);
}

void thread_admission_release(thread_admission *a, resource *permit) { resource_pool_release(&a->pool, permit); }
