/* postgres.h - the private PostgreSQL cluster of a run. */
#ifndef TESTS_POSTGRES_H
#define TESTS_POSTGRES_H

#include "tests/support/cluster.h"

#include <check.h>

cluster *postgres(void);                     /* made and seeded when first asked for; lives as long as that process */
int      sql_int(const char *sql);           /* as superuser */
double   until_200(const char *path);        /* the seconds until that answers so, of granted_s */

/* A test case whose tests start servers of their own on the cluster, which runs when each begins. */
TCase   *postgres_theme(Suite *s, const char *name);

#endif
