/* workers.h - the threads that touch the file: several readers, and one writer.
 *
 * The writer takes all that waits, and runs it in one transaction: one sync of the disk for all of them,
 * and one that fails spoils none. It reports them after the commit. Whoever has been answered often writes
 * again at once, so where many write, it waits a moment for as many as there were: for half of the time that
 * a commit takes at most. Else it would begin with the first that comes back, and the others had to wait for that. */
#ifndef DB_SQLITE_WORKERS_H
#define DB_SQLITE_WORKERS_H

#include "job_queue.h"
#include "file_identity.h"

enum { SQLITE_WRITER_GROUP = 512 };          /* writes in one transaction: what comes later waits for the next */

typedef struct sqlite_workers sqlite_workers;

/* What is committed is told to channels that heard has. On an error, why says what is wrong. */
int  sqlite_workers_start(sqlite_workers **w, const char *path, const database_options *options, struct channels *heard,
                          char *why, size_t size);
void sqlite_workers_stop(sqlite_workers *w);    /* no job may wait or run */

sqlite_job_queue *sqlite_workers_queue(sqlite_workers *w, bool reads);
const sqlite_file_identity *sqlite_workers_file(const sqlite_workers *w);     /* of the files that they have opened */
uint64_t sqlite_workers_commits(const sqlite_workers *w);  /* transactions that the writer has committed */

#endif
