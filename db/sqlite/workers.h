/* workers.h - the threads that touch the file: several readers, and one writer.
 *
 * The writer takes all that waits, and runs it in one transaction with a savepoint each: one sync
 * of the disk for all of them, and one that fails spoils none. Only after the commit it reports. */
#ifndef DB_SQLITE_WORKERS_H
#define DB_SQLITE_WORKERS_H

#include "job_queue.h"
#include "file_identity.h"

enum { WRITER_GROUP = 256 };                 /* writes in one transaction: what comes later waits for the next */

typedef struct workers workers;

/* On an error, why says what is wrong. */
int  workers_start(workers **w, const char *path, int readers, uint64_t timeout_ms, char *why, size_t size);
void workers_stop(workers *w);               /* nothing may be in line */

job_queue *workers_line(workers *w, bool reads);
const sqlite_place *workers_place(const workers *w);         /* of the files that they have opened */
uint64_t  workers_commits(const workers *w);  /* transactions that the writer has committed */

#endif
