/* db.c - see db.h. Chooses the driver by the URL, and passes on to it. */
#include "driver.h"
#include "server/base/log.h"

#include <string.h>

static const database_driver *driver_for(const database_options *options)
{
    return strncmp(options->url, "sqlite:", 7) == 0 ? &sqlite_driver : &postgres_driver;
}

int database_check(const database_options *options, char *why, size_t size)
{
    return driver_for(options)->check(options, why, size);
}

int database_open(database **d, const database_options *options, char *why, size_t size)
{
    return driver_for(options)->open(d, options, why, size);
}

void        database_close(database *d)                              { d->driver->close(d); }
int         database_init(database *d, char *why, size_t size)       { return d->driver->init(d, why, size); }
const char *database_describe(const database *d)                     { return d->driver->describe(d); }
bool        database_is_postgres(const database *d)                  { return d->driver == &postgres_driver; }

db      *db_new(database *d)   { return d->driver->connect(d); }
promise *db_close(db *here)    { return here->driver->disconnect(here); }
void     db_free(db *here)     { here->driver->free(here); }

int database_threads(const database *d, bool writes) { return d->driver->threads(d, writes); }

int db_room(const db *here, bool writes) { return here->driver->room(here, writes); }

promise *db_query(db *here, arena *a, stopwatch *watch, rows *out, const statement *s, int n,
                  const value parameters[])
{
    return promise_named(here->driver->run(here, a, watch, out, s, n, parameters));
}

int driver_uncertain(const statement *s, const char *why)
{
    log_error("%s: it is not known whether it was stored: %s", s->name, why);
    return ERR_UNCERTAIN;
}
