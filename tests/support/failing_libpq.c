/* failing_libpq.c - see failing_libpq.h. These stand before libpq's, and so everybody calls them. */
#include "failing_libpq.h"

#include <dlfcn.h>
#include <libpq-fe.h>
#include <sched.h>
#include <stdatomic.h>

static struct { atomic_int left; atomic_bool late; void (*_Atomic before)(void); } calls[LIBPQ_CALLS];
static atomic_bool cancel_held;

void libpq_fail(libpq_call call, int n, bool late)
{
    calls[call].late = late;
    calls[call].left = n;
}

void libpq_before(libpq_call call, void (*happens)(void)) { calls[call].before = happens; }

void libpq_hold_cancel(bool on) { cancel_held = on; }

bool libpq_failed(libpq_call call) { return atomic_exchange(&calls[call].left, 0) <= 0; }

/* Whether this one does its work, and whether it then fails. */
static bool works(libpq_call call, bool *fails)
{
    void (*const before)(void) = calls[call].before;
    if (before)
        before();
    *fails = atomic_load(&calls[call].left) > 0 && atomic_fetch_sub(&calls[call].left, 1) == 1;
    return !*fails || calls[call].late;
}

#define LIBPQ(name) ((typeof(&name))dlsym(RTLD_NEXT, #name))

int PQsendPrepare(PGconn *pg, const char *name, const char *sql, int n, const Oid *types)
{
    bool fails;
    const int sent = works(LIBPQ_PREPARE, &fails) ? LIBPQ(PQsendPrepare)(pg, name, sql, n, types) : 0;
    return fails ? 0 : sent;
}

int PQsendQueryPrepared(PGconn *pg, const char *name, int n, const char *const *values, const int *lengths,
                        const int *formats, int format)
{
    bool fails;
    const int sent = works(LIBPQ_PREPARED, &fails)
                         ? LIBPQ(PQsendQueryPrepared)(pg, name, n, values, lengths, formats, format) : 0;
    return fails ? 0 : sent;
}

int PQsendQueryParams(PGconn *pg, const char *sql, int n, const Oid *types, const char *const *values,
                      const int *lengths, const int *formats, int format)
{
    bool fails;
    const int sent = works(LIBPQ_PARAMS, &fails)
                         ? LIBPQ(PQsendQueryParams)(pg, sql, n, types, values, lengths, formats, format) : 0;
    return fails ? 0 : sent;
}

int PQpipelineSync(PGconn *pg)
{
    bool fails;
    const int sent = works(LIBPQ_SYNC, &fails) ? LIBPQ(PQpipelineSync)(pg) : 0;
    return fails ? 0 : sent;
}

#ifdef LIBPQ_HAS_SEND_PIPELINE_SYNC
int PQsendPipelineSync(PGconn *pg)
{
    bool fails;
    const int sent = works(LIBPQ_SYNC, &fails) ? LIBPQ(PQsendPipelineSync)(pg) : 0;
    return fails ? 0 : sent;
}
#endif

int PQsendQuery(PGconn *pg, const char *sql)
{
    bool fails;
    const int sent = works(LIBPQ_EMPTY, &fails) ? LIBPQ(PQsendQuery)(pg, sql) : 0;
    return fails ? 0 : sent;
}

int PQflush(PGconn *pg)
{
    bool fails;
    const int left = works(LIBPQ_FLUSH, &fails) ? LIBPQ(PQflush)(pg) : 0;
    return fails ? -1 : left;
}

int PQsetnonblocking(PGconn *pg, int on)
{
    bool fails;
    const int err = works(LIBPQ_NONBLOCKING, &fails) ? LIBPQ(PQsetnonblocking)(pg, on) : 0;
    return fails ? -1 : err;
}

int PQenterPipelineMode(PGconn *pg)
{
    bool fails;
    const int entered = works(LIBPQ_PIPELINE, &fails) ? LIBPQ(PQenterPipelineMode)(pg) : 0;
    return fails ? 0 : entered;
}

PGcancel *PQgetCancel(PGconn *pg)
{
    bool fails;
    return works(LIBPQ_CANCEL, &fails) && !fails ? LIBPQ(PQgetCancel)(pg) : NULL;
}

int PQcancel(PGcancel *request, char *error, int size)
{
    const int sent = LIBPQ(PQcancel)(request, error, size);
    while (cancel_held)
        sched_yield();
    return sent;
}
