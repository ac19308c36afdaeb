/* sqlite_error.c - see sqlite_error.h. */
#include "sqlite_error.h"
#include "db.h"
#include "server/log.h"

#include <pthread.h>
#include <uv.h>

enum { KINDS = 32 };

static const uint64_t SECOND = 1000000000;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct kind { const char *name; int code; uint64_t logged; unsigned long unsaid; } kinds[KINDS];

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

/* How many of this kind went unsaid before this one, or -1 if this one shall too. */
static long unsaid(const char *name, int code)
{
    const uint64_t now = uv_hrtime();
    struct kind *k = &kinds[((uintptr_t)name / 8 + (unsigned)code) % KINDS];
    long before = 0;

    pthread_mutex_lock(&lock);
    if (k->name != name || k->code != code)
        *k = (struct kind){ .name = name, .code = code, .logged = now };
    else if (now - k->logged < SECOND) {
        k->unsaid++;
        before = -1;
    } else {
        before = (long)k->unsaid;
        k->unsaid = 0;
        k->logged = now;
    }
    pthread_mutex_unlock(&lock);
    return before;
}

int sqlite_error_log(sqlite3 *s, const char *name)
{
    const int code = sqlite3_extended_errcode(s);
    const long before = unsaid(name, code);
    if (before > 0)
        log_error("%s: %s (and %ld times more since it was last said)", name, sqlite3_errmsg(s), before);
    else if (before == 0)
        log_error("%s: %s", name, sqlite3_errmsg(s));
    return sqlite_error_code(code);
}
