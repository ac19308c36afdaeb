/* run.h - one run of all scenarios: its folder, its seeded database, what the servers printed. */
#ifndef TESTS_RUN_H
#define TESTS_RUN_H

void run_copy_database(const char *folder);  /* the seeded one, to folder/tenk.db */
void run_remove(const char *folder);
void run_cluster_end(void);                  /* stops the PostgreSQL cluster if one was started */

#endif
