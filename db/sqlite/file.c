/* file.c - see file.h.
 *
 * The file is filled in SQLite's rollback mode, where new pages are written once, straight to their
 * place; only then it changes to write-ahead logging, and stays so. */
#include "file.h"
#include "db/db.h"
#include "db/schema.h"
#include "error.h"

#include <errno.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE_MS = 60000 };                /* with another process that seeds it */

int sqlite_file_path(const char *url, const char **path, char *why, size_t size)
{
    const char *p = url + strlen("sqlite:");
    if (strncmp(p, "//", 2) == 0) {
        p += 2;
        if (*p != '/') {
            snprintf(why, size, "after sqlite:// comes an absolute path (sqlite:///srv/tenk.db); "
                     "a relative one is written sqlite:tenk.db");
            return UV_EINVAL;
        }
    }
    if (strchr(p, '?') || strncmp(p, "file:", 5) == 0) {
        snprintf(why, size, "%s: it is opened to be read and written, as a file of that name: sqlite:PATH has no "
                 "?parameters, and no file: before it. Write sqlite:tenk.db", url);
        return UV_EINVAL;
    }
    if (!*p) {
        snprintf(why, size, "%s names no file; write sqlite:tenk.db", url);
        return UV_EINVAL;
    }
    if (*p == ':') {
        snprintf(why, size, "%s: a database in memory cannot be shared by several threads; "
                 "name a file, in /dev/shm if it shall be in memory", url);
        return UV_EINVAL;
    }
    *path = p;
    return 0;
}

/* SQLite tries again to read only, so that its own last error may be that the file is not there. */
static bool is_on_read_only_disk(const char *path)
{
    char folder[PATH_MAX] = ".";
    const char *slash = strrchr(path, '/');
    if (slash && slash - path < PATH_MAX)
        snprintf(folder, sizeof folder, "%.*s", slash == path ? 1 : (int)(slash - path), path);
    return access(folder, W_OK) && errno == EROFS;
}

int sqlite_file_error(const char *path, int code, int system_error, const char *words, char *why, size_t size)
{
    const char *reason = system_error ? strerror(system_error) : words;
    const int kind = code & 0xff;
    if ((kind == SQLITE_CANTOPEN || kind == SQLITE_READONLY) && is_on_read_only_disk(path)) {
        snprintf(why, size, "%s cannot be written: %s.", path, strerror(EROFS));
        return UV_EROFS;
    }
    switch (kind) {
    case SQLITE_CANTOPEN:
        snprintf(why, size, "%s cannot be opened or created: %s. Its folder must exist, and tenk must be "
                 "allowed to write there.", path, reason);
        break;
    case SQLITE_READONLY:
    case SQLITE_PERM:
        snprintf(why, size, "%s cannot be written: %s. Check the rights of the file and of its folder.", path, reason);
        break;
    case SQLITE_NOTADB:
        snprintf(why, size, "%s is not a SQLite database; it is left as it is. Name another file.", path);
        break;
    case SQLITE_CORRUPT:
        snprintf(why, size, "%s is damaged: %s. Restore it from a backup, or move it away to start anew.", path, words);
        break;
    case SQLITE_FULL:
        snprintf(why, size, "%s cannot be created: the disk is full. It needs about 100 MB.", path);
        break;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        snprintf(why, size, "%s is locked by another program. Try again when that has ended.", path);
        break;
    default:
        snprintf(why, size, "%s: %s", path, reason);
    }
    const int err = sqlite_error_code(code);
    return err == DB_EQUERY ? UV_EIO : err;
}

static int file_failed(sqlite3 *s, const char *path, char *why, size_t size)
{
    const int code = sqlite3_extended_errcode(s);
    const bool system = (code & 0xff) == SQLITE_CANTOPEN || (code & 0xff) == SQLITE_IOERR;
    return sqlite_file_error(path, code, system ? sqlite3_system_errno(s) : 0, sqlite3_errmsg(s), why, size);
}

static int ask_number(sqlite3 *s, const char *sql, int64_t *answer)
{
    sqlite3_stmt *q;
    *answer = 0;
    if (sqlite3_prepare_v2(s, sql, -1, &q, NULL))
        return SQLITE_ERROR;
    if (sqlite3_step(q) == SQLITE_ROW)
        *answer = sqlite3_column_int64(q, 0);
    return sqlite3_finalize(q);
}

/* What schema_check says of it; UV_EIO or so with why when it cannot be read. */
static int check_tables(sqlite3 *s, const char *path, char *why, size_t size)
{
    int64_t marker, others, ours = 0;
    schema_found found = { 0 };
    if (ask_number(s, "select count(*) from sqlite_master where name = 'tenk_schema'", &marker) ||
        ask_number(s, "select count(*) from sqlite_master", &others) ||     /* a file belongs to one program */
        (marker && ask_number(s, "select count(*) from pragma_table_info('tenk_schema') where name = 'version'", &ours)) ||
        (ours && ask_number(s, "select max(version) from tenk_schema", &found.version)))
        return file_failed(s, path, why, size);
    found.marker = marker;
    found.others = others;
    return schema_check(found, path, why, size);
}

static int run_seed_statement(void *arg, const char *sql, int n, const int64_t parameters[])
{
    sqlite3 *s = arg;
    sqlite3_stmt *q;
    if (sqlite3_prepare_v2(s, sql, -1, &q, NULL))
        return UV_EIO;
    for (int i = 0; i < n; i++)
        sqlite3_bind_int64(q, i + 1, parameters[i]);         /* $1 comes before $2 in the text */
    while (sqlite3_step(q) == SQLITE_ROW)
        ;
    return sqlite3_finalize(q) ? UV_EIO : 0;
}

static int create_database(sqlite3 *s, const char *path, int users, char *why, size_t size)
{
    if (sqlite3_exec(s, "pragma synchronous = full; begin immediate", NULL, NULL, NULL))
        return file_failed(s, path, why, size);
    int err = check_tables(s, path, why, size);     /* again: another process may have been quicker */
    if (err == SCHEMA_ABSENT) {
        err = 0;
        if (schema_create(&SCHEMA_SQLITE, users, run_seed_statement, s) || sqlite3_exec(s, "commit", NULL, NULL, NULL))
            err = file_failed(s, path, why, size);
    }
    if (!sqlite3_get_autocommit(s))
        sqlite3_exec(s, "rollback", NULL, NULL, NULL);
    return err;
}

/* Needs the file for itself for a moment, and SQLite does not always wait for that. */
static int turn_on_wal(sqlite3 *s, const char *path, char *why, size_t size)
{
    const uint64_t end = uv_hrtime() + (uint64_t)PATIENCE_MS * 1000000;
    for (;;) {
        sqlite3_stmt *q;
        bool on = false;
        int code = sqlite3_prepare_v2(s, "pragma journal_mode = wal", -1, &q, NULL);
        if (!code) {
            if (sqlite3_step(q) == SQLITE_ROW)
                on = sqlite3_stricmp((const char *)sqlite3_column_text(q, 0), "wal") == 0;
            code = sqlite3_finalize(q);
        }
        if (on && !code)
            return 0;
        if (code != SQLITE_BUSY && code != SQLITE_LOCKED) {
            if (code)
                return file_failed(s, path, why, size);
            snprintf(why, size, "%s lies on a file system without the shared memory that write-ahead logging "
                     "needs (a network one?). Name a file on a local disk.", path);
            return UV_ENOTSUP;
        }
        if (uv_hrtime() > end)
            return file_failed(s, path, why, size);
        nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL);
    }
}

/* To a file of ours, which is an old one if it lacks it. */
static int add_outbox(sqlite3 *s, const char *path, char *why, size_t size)
{
    static const char LACKING[] = "select count(*) = 0 from sqlite_master where name = 'outbox'";
    int64_t lacking = 0;
    int code = ask_number(s, LACKING, &lacking);
    if (!code && lacking) {                  /* another process may be quicker */
        code = sqlite3_exec(s, "begin immediate", NULL, NULL, NULL) || ask_number(s, LACKING, &lacking) ||
               (lacking && schema_add_outbox(&SCHEMA_SQLITE, run_seed_statement, s)) ||
               sqlite3_exec(s, "commit", NULL, NULL, NULL);
    }
    return code ? file_failed(s, path, why, size) : 0;
}

int sqlite_file_prepare(const char *path, int users, char *why, size_t size)
{
    sqlite3 *s;
    int err;

    if (sqlite3_open_v2(path, &s, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL)) {
        err = file_failed(s, path, why, size);
        goto close;
    }
    sqlite3_busy_timeout(s, PATIENCE_MS);
    err = check_tables(s, path, why, size);
    if (err < 0)
        goto close;
    if (sqlite3_db_readonly(s, "main") == 1) {
        err = sqlite_file_error(path, SQLITE_READONLY, 0, "it is read-only", why, size);
        goto close;
    }
    if (err == SCHEMA_ABSENT)
        err = create_database(s, path, users, why, size);
    else
        err = add_outbox(s, path, why, size);
    if (!err)
        err = turn_on_wal(s, path, why, size);
close:
    sqlite3_close(s);
    return err;
}

int sqlite_file_add_boards(const char *path, char *why, size_t size)
{
    static const char LACKING[] = "select count(*) < 3 from sqlite_master where name in ('world', 'fortune', 'items')";
    sqlite3 *s;
    int64_t lacking = 0;
    int err = 0;

    if (sqlite3_open_v2(path, &s, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) ||
        sqlite3_busy_timeout(s, PATIENCE_MS) || sqlite3_exec(s, "begin immediate", NULL, NULL, NULL) ||
        ask_number(s, LACKING, &lacking) || (lacking && schema_add_boards(&SCHEMA_SQLITE, SCHEMA_USERS, run_seed_statement, s)) ||
        sqlite3_exec(s, "commit", NULL, NULL, NULL))
        err = file_failed(s, path, why, size);
    sqlite3_close(s);                        /* rolls back what has not been committed */
    return err;
}
