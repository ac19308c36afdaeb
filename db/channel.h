/* channel.h - who in this process listens on which channel of a database, and is told of what is committed.
 *
 * Any thread may tell; each listener is one thread's. Being told costs one wake-up, however often it happens before the
 * listener looks. */
#ifndef DB_CHANNEL_H
#define DB_CHANNEL_H

#include "server/base/list.h"

#include <stdatomic.h>
#include <uv.h>

typedef struct channels {                    /* of one database */
    uv_mutex_t lock;
    list       listeners;
} channels;

typedef struct channel_listener {
    list_node   node;
    channels   *all;
    const char *name;                        /* of its channel */
    int         fd;                          /* can be read while it has been told, and perhaps once too often */
    atomic_bool told;
} channel_listener;

void channels_init(channels *c);
void channels_done(channels *c);             /* nobody listens any more */
void channels_tell(channels *c, const char *name);           /* no-op if the name is NULL */

int  channel_listener_open(channel_listener *l, channels *c, const char *name);      /* 0 or an error */
void channel_listener_close(channel_listener *l);
void channel_listener_wake(channel_listener *l);             /* any thread: as if it had been told, alone */
bool channel_listener_take(channel_listener *l);             /* whether it has been told since it was asked the last time */

#endif
