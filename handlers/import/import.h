/* import.h - an import under way: what its reader and its workers have in common.
 *
 *     client -> reader -> queue, bounded -> workers -> database
 *               cuts lines                  check in a thread, store a batch at a time */
#ifndef IMPORT_H
#define IMPORT_H

#include "import_batch.h"
#include "import_report.h"
#include "line_reader.h"
#include "server/async/background.h"
#include "server/async/queue.h"
#include "server/http/request.h"

typedef struct importing {
    request      *req;
    queue        *queue;                     /* of batches */
    background   *workers;
    import_batch *batch;                     /* which is being filled */
    line_reader   lines;
    import_report report;
    uint64_t      told;                      /* when the log had the last word of it */
    int           failed;                    /* why the workers have stopped; 0 while they go on */
    int           declined;                  /* lines that the database said no to, since it last took one */
} importing;

/* Batches are full when the client is fast. When the workers have nothing to do, they get what there is. */
void import_hand_over(importing *i);

/* A worker, of arg, an importing: stores batches until the queue is closed and empty. When one fails, all end: it closes
 * the queue, and what is in there is left. Returns 0. */
int  import_store(void *arg);

void import_tell(const importing *i, const char *how);       /* in the log: how far it is */

#endif
