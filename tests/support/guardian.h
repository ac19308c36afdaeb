/* guardian.h - a process that owns a PostgreSQL server and the folder that it lives in: see cluster.h, whose part it is. */
#ifndef GUARDIAN_H
#define GUARDIAN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

typedef struct guardian {
    char  folder[64], data[80], bin[256];
    int   port, reserved;                    /* a socket, for the port */
    bool  followed;                          /* another server may follow this one */
    int   commands;                          /* to the process */
    pid_t process;
} guardian;

/* Makes the server, a copy of primary's if that is not NULL, and starts it; -1, with a word on stderr, if it cannot. */
int  guardian_init(guardian *g, bool followed, const guardian *primary);
void guardian_done(guardian *g);             /* stops the server, and removes the folder */

int  guardian_start(guardian *g);            /* 0 or -1, as all of these; no-op while it runs */
int  guardian_stop(guardian *g);
int  guardian_crash(guardian *g);

void guardian_conninfo(const guardian *g, const char *database, char *conninfo, size_t size);       /* of its superuser */

#endif
