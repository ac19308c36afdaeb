/* postgres.h - what the floors on PostgreSQL share: one connection in pipeline mode, prepared statements, binary parameters
 * and results, and one Sync for all the queries of a turn of the loop. */
#ifndef POSTGRES_H
#define POSTGRES_H

#include <libpq-fe.h>
#include <stdbool.h>

enum { INT8 = 20, INT4 = 23, TEXT = 25 }; /* types, as PostgreSQL numbers them */

void postgres_open(const char *conninfo);
void postgres_prepare(const char *name, const char *sql, int n, const Oid types[]);

/* Ends the program unless that is fine, with what libpq says. */
void postgres_must(bool fine);

/* Sends it, with n parameters. */
void postgres_send(const char *statement, int n, const char *const values[], const int lengths[]);

/* Whose the results of what was sent since the last call are. */
void postgres_expect(void *whose);

/* Serves. result takes each result that comes, and says whether it is the last one of whose; synced, if not NULL, is
 * called when a turn's transaction has ended. */
void postgres_run(int port, bool (*result)(void *whose, PGresult *r), void (*synced)(void));

#endif
