/* servers.h - the tenks that run here: those of this user, or for root all of them. */
#ifndef INSPECT_SERVERS_H
#define INSPECT_SERVERS_H

#include <stdbool.h>
#include <sys/types.h>

typedef struct found_server { pid_t process; char command[256]; } found_server;

/* By their program's name, in /proc; not this process, nor what tenk starts itself or what
 * only looks, which is told by its first word. How many there are, at most that many. */
int servers_find(found_server found[], int most, bool (*looks)(const char *word));

#endif
