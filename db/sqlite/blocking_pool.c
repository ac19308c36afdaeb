/* blocking_pool.c - see blocking_pool.h. */
#include "blocking_pool.h"
#include "error.h"
#include "server/base/deadline.h"
#include "server/base/blocking_wait.h"
#include "server/base/memory.h"
#include "server/base/refusal.h"

uint64_t sqlite_shared_patience(const sqlite_shared *s)
{
    const uint64_t ms = s->options->line_timeout_ms;
    return deadline_sooner(ms ? deadline_in(ms) : NO_DEADLINE, blocking_deadline());
}

static int open_if_new(const sqlite_shared *s, sqlite_connection *c)
{
    if (c->sqlite)
        return 0;
    if (sqlite_place_check(workers_place(s->workers)))       /* it would be another file than the others read */
        return UV_EIO;
    const int code = sqlite_connection_open(c, s->path, CONNECTION_READS | CONNECTION_FOLLOWS, s->options->timeout_ms);
    if (!code) {
        c->place = workers_place(s->workers);
        return 0;
    }
    sqlite_error_log(c->sqlite, "another connection to read on");
    sqlite_connection_close(c);
    return sqlite_error_code(code);
}

int sqlite_shared_borrow(sqlite_shared *s, sqlite_connection **c)
{
    resource *l;
    int err = resource_pool_acquire(&s->readers, &l, sqlite_shared_patience(s), RESOURCE_POOL_USUAL);
    if (err == UV_EAGAIN)
        return refuse(REFUSED_DATABASE_LINE, 0);
    if (err)
        return err == UV_ETIMEDOUT && !blocking_late() ? refuse(REFUSED_DATABASE_TIMEOUT, s->options->line_timeout_ms * 1000000) : err;
    struct lent *one = (struct lent *)l;
    err = open_if_new(s, &one->connection);
    if (err)
        resource_pool_release(&s->readers, l);
    else
        *c = &one->connection;
    return err;
}

void sqlite_shared_return(sqlite_shared *s, sqlite_connection *c)
{
    resource_pool_release(&s->readers, (resource *)((char *)c - offsetof(struct lent, connection)));
}

sqlite_shared *sqlite_shared_new(const char *path, workers *w, const database_options *options)
{
    const int count = options->readers > 0 ? options->readers : 1;
    sqlite_shared *s = mem_alloc(sizeof *s + (size_t)count * sizeof s->each[0]);
    s->options = options;
    s->path = path;
    s->workers = w;
    s->count = count;
    resource_pool_init(&s->readers, options->line, (codel){ 0 });
    for (int i = 0; i < count; i++)
        resource_pool_release(&s->readers, &s->each[i].base);
    return s;
}

void sqlite_shared_free(sqlite_shared *s)
{
    for (int i = 0; i < s->count; i++)
        sqlite_connection_close(&s->each[i].connection);
    resource_pool_done(&s->readers);
    mem_free(s);
}
