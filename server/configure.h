/* configure.h - what of a configuration is for the process as a whole: each part is told what concerns it. */
#ifndef CONFIGURE_H
#define CONFIGURE_H

#include "db/db.h"
#include "server/config/config.h"

database_options configure_database(const config *c);
database_options configure_replica(const config *c); /* of the gallery (replica.h): few connections, as it is only looked at */

void configure_process(const config *c);     /* before any thread starts, but that of the log */
void configure_live(const config *c);        /* of that what may change while the server runs: from any one thread */

#endif
