/* cluster.h - a private PostgreSQL server for tests, in a temporary folder.
 *
 * A guardian process owns it: when the process that made the cluster frees it, fails, or is killed,
 * the guardian stops the server and removes the folder. A process forked from that one (a Check test)
 * may use the cluster too, and start and stop it; only the maker frees it.
 *
 * It listens on a free loopback port and on a unix socket, and trusts everyone but the role "locked",
 * whose password is "sesame". The role "tenk" owns the database "tenk"; "guest" has no rights. */
#ifndef CLUSTER_H
#define CLUSTER_H

#include <sys/types.h>

typedef struct cluster cluster;

cluster *cluster_new(void);                  /* made and started; NULL, with a word on stderr, if it cannot be */
void     cluster_free(cluster *c);

/* One that another may follow; and one that follows it: a copy of it by now, read-only until it is promoted. What
 * the first acknowledges from now on, the other has. */
cluster *cluster_new_primary(void);
cluster *cluster_new_standby(cluster *primary);
void     cluster_promote(cluster *standby);  /* returns when it takes writes */

void     cluster_start(cluster *c);          /* returns when it takes connections; no-op while it runs */
void     cluster_stop(cluster *c);           /* fast: breaks connections, writes everything to disk */
void     cluster_crash(cluster *c);          /* immediate: recovers from its log at the next start */

const char *cluster_url(const cluster *c);         /* postgresql://tenk@127.0.0.1:PORT/tenk */
const char *cluster_socket_url(const cluster *c);  /* the same through the unix socket */
int         cluster_port(const cluster *c);
pid_t       cluster_pid(const cluster *c);         /* of the postmaster; 0 while stopped */
void        cluster_halt(const cluster *c);        /* it and its backends: they are there, and do nothing */
void        cluster_resume(const cluster *c);      /* they run on, if they are halted */

/* Run sql as superuser in the database tenk; its first cell, "" if it has none, until the next call.
 * Aborts when the server refuses. */
const char *cluster_ask(cluster *c, const char *sql);
int         cluster_log_times(const cluster *c, const char *part);               /* how often its log has that */
void        cluster_wait(cluster *c, const char *sql, const char *answer);       /* until that is its first cell */

#endif
