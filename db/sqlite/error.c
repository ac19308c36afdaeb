/* error.c - see error.h. */
#include "error.h"
#include "db/db.h"
#include "server/base/log.h"

#include <uv.h>

int sqlite_error_code(int code)
{
    switch (code & 0xff) {                   /* the upper bits only tell more of the same */
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:     return 0;
    case SQLITE_FULL:     return UV_ENOSPC;
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:     return UV_EROFS;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_IOERR:    return UV_EIO;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:   return UV_EAGAIN;
    default:              return DB_EQUERY;
    }
}

bool sqlite_error_leaves_doubt(sqlite3 *s)
{
    const int code = sqlite3_extended_errcode(s);
    return code == SQLITE_IOERR_FSYNC || code == SQLITE_IOERR_DIR_FSYNC;
}

int sqlite_error_log(sqlite3 *s, const char *name)
{
    log_error("%s: %s", name, sqlite3_errmsg(s));
    return sqlite_error_code(sqlite3_extended_errcode(s));
}
