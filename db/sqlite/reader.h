/* reader.h - reads what waits, in one snapshot as far as that is right. */
#ifndef DB_SQLITE_READER_H
#define DB_SQLITE_READER_H

#include "connection.h"
#include "job_queue.h"

/* Waits for jobs, runs and reports some; false when the line has ended. */
bool reader_run(sqlite_connection *c, job_queue *l);

#endif
