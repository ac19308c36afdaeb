/* init.h - creates and seeds the schema: see database_init. */
#ifndef DB_POSTGRES_INIT_H
#define DB_POSTGRES_INIT_H

#include "target.h"

int pg_init(const pg_target *t, char *why, size_t size);

#endif
