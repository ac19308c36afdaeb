/* configure.h - what of a configuration is for the process as a whole: each part is told what concerns it. */
#ifndef CONFIGURE_H
#define CONFIGURE_H

#include "db/db.h"
#include "server/config/config.h"
#include "server/http/observe/access_log.h"

database_options configure_database(const config *c);
database_options configure_replica(const config *c); /* of the gallery (replica.h): few connections, as it is only looked at */

void configure_process(const config *c);     /* before any thread starts, but that of the log */
void configure_live(const config *c);        /* of that what may change while the server runs: from any one thread */

/* The access log and the traces of a configuration, which has to outlive traces_stop: prepared, which may fail, and then used or
 * forgotten. 0, or an error after saying in why what is wrong. One at a time. */
typedef struct observers { const config *config; access_log_next access; } observers;

int  observers_prepare(observers *o, const config *c, char *why, size_t size);
void observers_use(observers *o);            /* from now on */
void observers_forget(observers *o);

#endif
