/* writer.c - see writer.h.
 *
 * A statement is atomic by itself, so one that the database says no to undoes itself and nothing else
 * (https://sqlite.org/lang_transaction.html, "Response To Errors Within A Transaction"). But SQLite ends the whole
 * transaction when a writing statement is interrupted, or when the disk fails; and we end it when the file is found
 * to be damaged, or when what a statement returns is not what it should be, for then it has already written. Then
 * nothing has happened at all, and those that had succeeded are run again, without the one that failed. */
#include "writer.h"
#include "error.h"

#include <assert.h>

enum { RAN = 1 };                            /* not run yet, or to be run again: no error code is positive */

static const statement BEGIN    = { "begin", "begin immediate", false };
static const statement COMMIT   = { "commit", "commit", false };
static const statement ROLLBACK = { "rollback", "rollback", false };
static const statement SAVE     = { "savepoint", "savepoint job", false };
static const statement KEEP     = { "release", "release job", false };
static const statement UNDO     = { "rollback to", "rollback to job", false };

static bool in_transaction(const sqlite_connection *c) { return !sqlite3_get_autocommit(c->sqlite); }

static void rollback(sqlite_connection *c)
{
    if (in_transaction(c))
        sqlite_connection_execute(c, NULL, &ROLLBACK);
}

/* Nothing was committed: all that had not failed by itself failed by this. */
static void fail_group(sqlite_connection *c, sqlite_job *group, int err)
{
    rollback(c);
    for (sqlite_job *j = group; j; j = j->next)
        if (j->err >= 0)
            j->err = err;
}

/* Those that were cancelled leave at once; the others wait on for the lock. True if any of these is still
 * to be run. */
static bool drop_cancelled(sqlite_job **group)
{
    bool left = false;
    for (sqlite_job *j; (j = *group);) {
        if (!atomic_load(&j->cancelled)) {
            left = left || j->err >= 0;
            group = &j->next;
            continue;
        }
        *group = j->next;
        if (j->err >= 0)
            j->err = UV_ECANCELED;
        sqlite_job_done(j);                         /* its db's again, which may free it */
    }
    return left;
}

/* To its end, or to nothing; if SQLite has not ended all of the group. */
static int run_saved(sqlite_connection *c, sqlite_job *j)
{
    int err = sqlite_connection_execute(c, NULL, &SAVE);
    if (err)
        return err;
    err = sqlite_connection_run(c, j);
    if (err && in_transaction(c))
        sqlite_connection_execute(c, NULL, &UNDO);           /* it stays, empty, and is released as any other */
    if (!in_transaction(c))
        return err;
    const int released = sqlite_connection_execute(c, NULL, &KEEP);
    return err ? err : released;
}

static bool is_several(const sqlite_job *j) { return j->steps || j->statement->sqlite; }

/* What a statement has changed is undone when the database says no to it: SQLite keeps a journal of each. So are
 * several, to their savepoint, if they have one, and then also when it was a value that did not fit. */
static bool undid_itself(const sqlite_job *j, bool saved)
{
    if (is_several(j) && !saved)
        return false;
    return j->err == DB_EQUERY || j->err == UV_ECANCELED || (is_several(j) && j->err == DB_EVALUE);
}

/* True if all is over; false if the transaction ended under it, and the rest must be run again. */
static bool run_group(sqlite_connection *c, sqlite_job *group, bool *save, int *good)
{
    *good = 0;
    for (sqlite_job *j = group; j; j = j->next) {
        if (j->err < 0)
            continue;
        const bool saved = is_several(j) && *save;
        j->err = saved ? run_saved(c, j) : sqlite_connection_run(c, j);
        if (!j->err)
            (*good)++;
        else if (!undid_itself(j, saved)) {
            rollback(c);
            *save = *save || is_several(j);
        }
        if (!in_transaction(c))
            return false;
    }
    return true;
}

int sqlite_writer_run(sqlite_connection *c, sqlite_job **all, uint64_t *took)
{
    bool save = false;                       /* whether several statements get savepoints */
    for (sqlite_job *j = *all; j; j = j->next)
        j->err = RAN;
    while (drop_cancelled(all)) {
        sqlite_job *group = *all;
        int good, err = sqlite_connection_execute(c, group, &BEGIN);
        if (err == UV_ECANCELED)
            continue;
        if (err) {
            fail_group(c, group, err);
            return 0;
        }
        if (!run_group(c, group, &save, &good))
            continue;
        if (good == 0) {
            rollback(c);
            return 0;
        }
        err = sqlite_file_identity_check(c->file);
        if (!err) {
            const uint64_t began = uv_hrtime();
            err = sqlite_file_identity_explain(c->file, sqlite_connection_execute(c, NULL, &COMMIT));
            *took = uv_hrtime() - began;
        }
        if (err)
            fail_group(c, group, sqlite_error_leaves_doubt(c->sqlite) ? ERR_UNCERTAIN : err);
        return err ? 0 : 1;
    }
    return 0;
}
