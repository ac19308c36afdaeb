/* reload.h - another configuration for the server that runs, when it is asked for (control.h).
 *
 * The sources are read again and checked; then all of it holds, or nothing of it, and the log says which: what has changed, what
 * would take a restart and stays as it is, or what is wrong. Configurations that held before stay until the end, for threads may
 * yet read them.
 *
 *   Threads.  reload_run is for one thread at a time; the rest for main, while that one does not run. */
#ifndef RELOAD_H
#define RELOAD_H

#include "server/config/config_load.h"
#include "server/http/second_server.h"

typedef struct reload reload;

/* All must outlive it. */
reload *reload_new(const config *c, const config_sources *sources, server *s, second_server *second);
void    reload_run(void *r);                 /* a reload; as control.h calls it */
uint64_t reload_drain_ms(void *r);           /* [timeouts] drain of the one that holds now: the same thread */
void    reload_free(reload *r);              /* the servers have ended */

#endif
