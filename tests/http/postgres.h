/* postgres.h - the private PostgreSQL cluster of a run. */
#ifndef TESTS_POSTGRES_H
#define TESTS_POSTGRES_H

#include "tests/cluster.h"

cluster *postgres(void);                     /* made and seeded when first asked for; lives as long as that process */

#endif
