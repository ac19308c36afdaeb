/* connection.c - see connection.h. */
#include "connection.h"
#include "error.h"
#include "db/value.h"
#include "server/base/deadline.h"
#include "server/base/blocking_wait.h"

#include <assert.h>
#include <stdio.h>
#include <time.h>

enum { OFTEN = 1000, PATIENCE_MS = 5000 };   /* the progress handler runs each so many instructions */

/* To look for the client is a system call; and so is to look for the file. */
static const uint64_t MS = 1000000, LOOK = 10000000, CHECK = 500000000;

static bool cancelled(const sqlite_connection *c)
{
    for (const job *j = c->running; j != c->behind; j = j->next)
        if (atomic_load_explicit(&j->cancelled, memory_order_relaxed))
            return true;
    return false;
}

static int must_stop(void *arg)
{
    sqlite_connection *c = arg;
    const uint64_t now = uv_hrtime();
    if (now >= c->deadline)
        c->late = true;
    if (c->follows && now >= c->next_look) {
        c->next_look = now + LOOK;
        c->gone = blocking_cancelled();
    }
    return c->late || c->gone || cancelled(c);
}

/* Another process has the lock: ask again soon, rarer with time. */
static int wait_for_lock(void *arg, int times)
{
    sqlite_connection *c = arg;
    if (must_stop(c) || uv_hrtime() >= c->patience)
        return 0;
    nanosleep(&(struct timespec){ .tv_nsec = (times < 10 ? times + 1 : 10) * (long)MS }, NULL);
    return 1;
}

int sqlite_connection_open(sqlite_connection *c, const char *path, int flags, uint64_t timeout_ms)
{
    const bool reads = flags & CONNECTION_READS;
    *c = (sqlite_connection){ .timeout_ms = timeout_ms, .deadline = NO_DEADLINE, .follows = flags & CONNECTION_FOLLOWS };
    int code = sqlite3_open_v2(path, &c->sqlite, (reads ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE) |
                               SQLITE_OPEN_NOMUTEX, NULL);
    if (code)
        return code;
    c->patience = uv_hrtime() + PATIENCE_MS * MS;
    sqlite3_busy_handler(c->sqlite, wait_for_lock, c);
    sqlite3_progress_handler(c->sqlite, OFTEN, must_stop, c);
    return sqlite3_exec(c->sqlite, "pragma synchronous = full; pragma foreign_keys = on;"
                        "pragma journal_size_limit = 67108864; pragma cache_size = -8192;"
                        "pragma temp_store = memory", NULL, NULL, NULL);
}

static void forget_statements(sqlite_connection *c)
{
    for (int i = 0; i < PREPARED; i++)
        sqlite3_finalize(c->prepared[i].sqlite);
    memset(c->prepared, 0, sizeof c->prepared);
    c->count = 0;
}

void sqlite_connection_close(sqlite_connection *c)
{
    forget_statements(c);
    sqlite3_close(c->sqlite);
    c->sqlite = NULL;
}

static void number_parameters(struct prepared *p)
{
    char name[16];
    for (int i = 0; i < MAX_PARAMETERS; i++) {
        snprintf(name, sizeof name, "$%d", i + 1);
        p->parameters[i] = sqlite3_bind_parameter_index(p->sqlite, name);
    }
}

/* An open hash table, never full, by the address of the statement. */
static struct prepared *prepare(sqlite_connection *c, const statement *s)
{
    unsigned i = (unsigned)((uintptr_t)s / 8 % PREPARED);
    for (; c->prepared[i].statement; i = (i + 1) % PREPARED)
        if (c->prepared[i].statement == s)
            return &c->prepared[i];
    if (c->count == PREPARED / 2) {          /* far more than a program has: it makes them up */
        forget_statements(c);
        i = (unsigned)((uintptr_t)s / 8 % PREPARED);
    }
    struct prepared *p = &c->prepared[i];
    if (sqlite3_prepare_v3(c->sqlite, s->sql, -1, SQLITE_PREPARE_PERSISTENT, &p->sqlite, NULL))
        return NULL;
    p->statement = s;
    number_parameters(p);
    c->count++;
    return p;
}

static int bind_all(const struct prepared *p, const job *j)
{
    assert(sqlite3_bind_parameter_count(p->sqlite) <= j->count && "a parameter is missing");
    int code = 0;
    for (int i = 0; i < j->count && !code; i++) {
        const value *v = &j->parameters[i];
        const int number = p->parameters[i];
        if (number == 0)
            continue;
        switch (v->type) {
        case VALUE_NULL:    code = sqlite3_bind_null(p->sqlite, number); break;
        case VALUE_INTEGER: code = sqlite3_bind_int64(p->sqlite, number, v->integer); break;
        case VALUE_TEXT:    code = sqlite3_bind_text64(p->sqlite, number, v->text.at, v->text.length,
                                                       SQLITE_STATIC, SQLITE_UTF8); break;
        }
    }
    return code;
}

static void start_clock(sqlite_connection *c)
{
    const uint64_t now = uv_hrtime();
    c->late = c->gone = false;
    c->next_look = now + LOOK;
    c->deadline = deadline_after(now, c->timeout_ms);
    if (c->follows)
        c->deadline = deadline_sooner(c->deadline, blocking_deadline());
    c->patience = now + PATIENCE_MS * MS;
    if (c->place && now >= c->next_check) {
        c->next_check = now + CHECK;
        sqlite_place_check(c->place);        /* says it; what was stored before can still be read */
    }
}

/* Being stopped is what somebody asked for, and no news for the log. */
static int error_of(sqlite_connection *c, const statement *s)
{
    const int code = sqlite3_errcode(c->sqlite);
    if (code == SQLITE_INTERRUPT || code == SQLITE_BUSY) {
        if (c->gone || cancelled(c))
            return UV_ECANCELED;
        if (c->late)
            return UV_ETIMEDOUT;
    }
    return sqlite_error_log(c->sqlite, s->name);
}

/* The row that has come; what its statement says of columns was true when that was written. */
static int take_row(sqlite3_stmt *sqlite, result *r, const statement *s)
{
    const int columns = sqlite3_column_count(sqlite);        /* of another schema now, perhaps */
    if (s->columns && r->count == 0 && strlen(s->columns) != (size_t)columns) {
        value_complain_of_columns(s->name, s->columns, columns);
        return DB_EVALUE;
    }
    const int wrong = result_add(r, sqlite, s->columns);
    if (wrong < 0)
        return 0;
    value_complain(s->name, r->count, wrong, s->columns[wrong]);
    return DB_EVALUE;
}

/* Steps to the end; the rows go into r, if there is one. */
static int step(sqlite_connection *c, sqlite3_stmt *sqlite, result *r, const statement *s)
{
    int code, err = 0;
    while (!err && (code = sqlite3_step(sqlite)) == SQLITE_ROW)
        if (r)
            err = take_row(sqlite, r, s);
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        err = error_of(c, s);                /* before the reset forgets it */
    sqlite3_reset(sqlite);
    return err;
}

int sqlite_connection_run(sqlite_connection *c, job *j)
{
    if (atomic_load_explicit(&j->cancelled, memory_order_relaxed))
        return UV_ECANCELED;
    c->running = j;
    c->behind = j->next;
    start_clock(c);
    result_clear(&j->result);
    struct prepared *p = prepare(c, j->statement);
    if (!p || bind_all(p, j))
        return error_of(c, j->statement);
    j->result.columns = sqlite3_column_count(p->sqlite);
    return step(c, p->sqlite, &j->result, j->statement);
}

int sqlite_connection_execute(sqlite_connection *c, const job *group, const statement *s)
{
    c->running = group;
    c->behind = NULL;
    start_clock(c);
    struct prepared *p = prepare(c, s);
    return p ? step(c, p->sqlite, NULL, s) : error_of(c, s);
}
