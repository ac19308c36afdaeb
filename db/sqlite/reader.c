/* reader.c - see reader.h.
 *
 * A statement by itself is a transaction: SQLite locks the file for it, looks whether there is a log,
 * and unlocks, which are six system calls. Those that wait at the same moment share one. A job that
 * comes later never does: it must see every write that was acknowledged before it was asked. */
#include "reader.h"

static const statement BEGIN = { "begin", "begin", true };
static const statement END   = { "end", "end", true };

static void run(sqlite_connection *c, job *j)
{
    j->err = sqlite_connection_run(c, j);
    job_done(j);
}

bool reader_run(sqlite_connection *c, job_queue *l)
{
    uint64_t newest;
    job *j = job_queue_take(l, &newest);
    if (!j)
        return false;
    if (newest == j->number || sqlite_connection_execute(c, NULL, &BEGIN)) {
        run(c, j);
        return true;
    }
    do
        run(c, j);
    while ((j = job_queue_take_up_to(l, newest)));
    sqlite_connection_execute(c, NULL, &END);
    return true;
}
