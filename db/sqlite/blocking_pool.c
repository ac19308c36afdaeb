/* blocking_pool.c - see blocking_pool.h. */
#include "blocking_pool.h"
#include "error.h"
#include "server/base/deadline.h"
#include "server/base/blocking_wait.h"
#include "server/base/list.h"
#include "server/base/memory.h"
#include "server/base/overload/refusal.h"

uint64_t sqlite_blocking_pool_wait_limit(const sqlite_blocking_pool *p)
{
    const uint64_t ms = p->options->line_timeout_ms;
    return deadline_sooner(ms ? deadline_in(ms) : NO_DEADLINE, blocking_deadline());
}

static int open_if_new(const sqlite_blocking_pool *p, sqlite_connection *c)
{
    if (c->sqlite)
        return 0;
    const sqlite_file_identity *file = sqlite_workers_file(p->workers);
    if (sqlite_file_identity_check(file))    /* it would be another file than the others read */
        return UV_EIO;
    const int code = sqlite_connection_open(c, p->path, SQLITE_CONNECTION_READS | SQLITE_CONNECTION_BLOCKING, p->options);
    if (!code) {
        c->file = file;
        return 0;
    }
    sqlite_error_log(c->sqlite, "another connection to read on");
    sqlite_connection_close(c);
    return sqlite_error_code(code);
}

int sqlite_blocking_pool_acquire(sqlite_blocking_pool *p, sqlite_connection **c)
{
    resource *r;
    int err = resource_pool_acquire(&p->readers, &r, sqlite_blocking_pool_wait_limit(p), RESOURCE_POOL_USUAL);
    if (err == UV_EAGAIN)
        return refuse(REFUSED_DATABASE_LINE, 0);
    if (err == UV_ETIMEDOUT && !blocking_late())
        return refuse(REFUSED_DATABASE_TIMEOUT, p->options->line_timeout_ms * 1000000);
    if (err)
        return err;
    sqlite_connection *one = &((sqlite_pooled_connection *)r)->connection;
    err = open_if_new(p, one);
    if (err)
        resource_pool_release(&p->readers, r);
    else
        *c = one;
    return err;
}

void sqlite_blocking_pool_release(sqlite_blocking_pool *p, sqlite_connection *c)
{
    resource_pool_release(&p->readers, &container_of(c, sqlite_pooled_connection, connection)->resource);
}

sqlite_blocking_pool *sqlite_blocking_pool_new(const char *path, sqlite_workers *w, const database_options *options)
{
    const int count = sqlite_connection_readers(options);
    sqlite_blocking_pool *p = mem_alloc(sizeof *p + (size_t)count * sizeof p->each[0]);
    p->options = options;
    p->path = path;
    p->workers = w;
    p->count = count;
    resource_pool_init(&p->readers, options->line, (codel){ 0 });
    for (int i = 0; i < count; i++)
        resource_pool_release(&p->readers, &p->each[i].resource);
    return p;
}

void sqlite_blocking_pool_free(sqlite_blocking_pool *p)
{
    for (int i = 0; i < p->count; i++)
        sqlite_connection_close(&p->each[i].connection);
    resource_pool_done(&p->readers);
    mem_free(p);
}
