/* whole_server.h - a server in either mode, with all its threads, in the test's process; and clients that block. */
#ifndef WHOLE_SERVER_H
#define WHOLE_SERVER_H

#include "server/config/config.h"
#include "server/http/route.h"

/* Serves those routes, until whole_server_stop. settings: TENK_SECTION_KEY=value, and NULL behind the last. */
void whole_server_start(mode in, const route routes[], int count, const char *const settings[]);
void whole_server_stop(void);                /* asks it to stop, and waits until it has: in time */
void whole_server_stop_late(void);           /* the same, but the time to drain is over by then */
void whole_server_ask_to_stop(void);         /* the same, and does not wait */

int  whole_server_port(void);
int  wire_open(const char *request);         /* a client that has sent this: its socket */
int  wire_open_small(const char *request);   /* the same, and the kernel holds little for it */
void wire_close(int fd);
void wire_reset(int fd);                     /* the same by a reset: it wants nothing any more */

/* Reads until part has come, and fails the test if the server ends or nothing comes for long before. All that came since
 * the last call, terminated; it lives until the next call. */
const char *wire_until(int fd, const char *part);
const char *wire_until_end(int fd);

#endif
