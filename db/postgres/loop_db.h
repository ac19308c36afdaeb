/* loop_db.h - the db of one loop. */
#ifndef DB_POSTGRES_LOOP_DB_H
#define DB_POSTGRES_LOOP_DB_H

#include "target.h"

db *pg_loop_db_new(pg_target *t);            /* t must outlive it */

#endif
