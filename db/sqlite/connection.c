/* connection.c - see connection.h. */
#include "connection.h"
#include "error.h"
#include "db/value.h"
#include "server/base/deadline.h"
#include "server/base/blocking_wait.h"
#include "server/base/observe/shard.h"

#include <assert.h>
#include <stdio.h>
#include <time.h>

enum { PROGRESS_STEPS = 1000, LOCK_TIMEOUT_MS = 5000 };      /* instructions between calls of the progress handler */
enum { WRITER_CACHE_KIB = 8192 };

/* The log is copied into the file when it has so many pages: two more syncs, and what has changed several times is copied once.
 * Up to 4062 a reader finds in one hash table (https://sqlite.org/walformat.html, 2.2). */
enum { LOG_PAGES = 4000 };

/* Each check is a system call: so they are so many nanoseconds apart. */
static const uint64_t MS = 1000000, CLIENT_CHECK = 10000000, FILE_CHECK = 500000000;

static bool is_cancelled(const sqlite_connection *c)
{
    for (const sqlite_job *j = c->running; j != c->behind; j = j->next)
        if (atomic_load_explicit(&j->cancelled, memory_order_relaxed))
            return true;
    return false;
}

static int on_progress(void *arg)
{
    sqlite_connection *c = arg;
    const uint64_t now = uv_hrtime();
    if (now >= c->deadline)
        c->late = true;
    if (c->blocking && now >= c->next_client_check) {
        c->next_client_check = now + CLIENT_CHECK;
        c->client_gone = blocking_cancelled();
    }
    return c->late || c->client_gone || is_cancelled(c);
}

/* Another process has the lock: ask again soon, rarer with time. */
static int on_busy(void *arg, int times)
{
    sqlite_connection *c = arg;
    if (on_progress(c) || uv_hrtime() >= c->lock_deadline)
        return 0;
    nanosleep(&(struct timespec){ .tv_nsec = (times < 10 ? times + 1 : 10) * (long)MS }, NULL);
    return 1;
}

static const char KEY[] = "tenk.key";

static void forget_key(sqlite_connection *c)
{
    sqlite3_value_free(c->key);
    c->key = NULL;
}

static bool names_key(sqlite3_context *to, sqlite3_value *name)
{
    const char *is = (const char *)sqlite3_value_text(name);
    if (is && strcmp(is, KEY) == 0)
        return true;
    sqlite3_result_error(to, "there is no other setting than tenk.key", -1);
    return false;
}

/* https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-ADMIN-SET */
static void on_set_config(sqlite3_context *to, int n, sqlite3_value *is[])
{
    sqlite_connection *c = sqlite3_user_data(to);
    (void)n;
    if (!names_key(to, is[0]))
        return;
    forget_key(c);
    c->key = sqlite3_value_dup(is[1]);
    sqlite3_result_value(to, is[1]);
}

static void on_current_setting(sqlite3_context *to, int n, sqlite3_value *is[])
{
    const sqlite_connection *c = sqlite3_user_data(to);
    (void)n;
    if (names_key(to, is[0]) && c->key)
        sqlite3_result_value(to, c->key);    /* else it is null */
}

static int add_functions(sqlite_connection *c)
{
    const int flags = SQLITE_UTF8 | SQLITE_DIRECTONLY;
    const int code = sqlite3_create_function(c->sqlite, "set_config", 3, flags, c, on_set_config, NULL, NULL);
    return code ? code : sqlite3_create_function(c->sqlite, "current_setting", 2, flags, c, on_current_setting, NULL, NULL);
}

int sqlite_connection_readers(const database_options *options) { return options->readers > 0 ? options->readers : 1; }

int sqlite_connection_open(sqlite_connection *c, const char *path, int flags, const database_options *options)
{
    const bool reads = flags & SQLITE_CONNECTION_READS;
    char sizes[96];
    snprintf(sizes, sizeof sizes, "pragma wal_autocheckpoint = %d; pragma cache_size = -%zu", LOG_PAGES,
             reads ? options->cache / 1024 / (size_t)sqlite_connection_readers(options) : WRITER_CACHE_KIB);
    *c = (sqlite_connection){ .timeout_ms = options->timeout_ms, .deadline = NO_DEADLINE,
                              .blocking = flags & SQLITE_CONNECTION_BLOCKING };
    int code = sqlite3_open_v2(path, &c->sqlite, (reads ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE) |
                               SQLITE_OPEN_NOMUTEX, NULL);
    if (c->sqlite)
        shard_add(SHARD_DATABASE_CONNECTIONS, 1);
    if (code)
        return code;
    c->lock_deadline = uv_hrtime() + LOCK_TIMEOUT_MS * MS;
    sqlite3_busy_handler(c->sqlite, on_busy, c);
    sqlite3_progress_handler(c->sqlite, PROGRESS_STEPS, on_progress, c);
    code = sqlite3_exec(c->sqlite, "pragma synchronous = full; pragma foreign_keys = on;"
                        "pragma journal_size_limit = 67108864; pragma temp_store = memory", NULL, NULL, NULL);
    if (!code)
        code = sqlite3_exec(c->sqlite, sizes, NULL, NULL, NULL);
    return code ? code : add_functions(c);
}

static void forget_statements(sqlite_connection *c)
{
    for (int i = 0; i < SQLITE_PREPARED; i++)
        for (int k = 0; k < SQLITE_PARTS; k++)
            sqlite3_finalize(c->prepared[i].parts[k].sqlite);
    memset(c->prepared, 0, sizeof c->prepared);
    c->count = 0;
}

void sqlite_connection_close(sqlite_connection *c)
{
    forget_statements(c);
    forget_key(c);
    if (c->sqlite)
        shard_add(SHARD_DATABASE_CONNECTIONS, -1);
    sqlite3_close(c->sqlite);
    c->sqlite = NULL;
}

/* The first statement of sql, and where it ends; NULL behind the last one. */
static int prepare_part(sqlite_connection *c, struct sqlite_part *part, const char *sql, const char **end)
{
    const int code = sqlite3_prepare_v3(c->sqlite, sql, -1, SQLITE_PREPARE_PERSISTENT, &part->sqlite, end);
    for (int k = 0; k < MAX_PARAMETERS && !code; k++) {
        char name[16];
        snprintf(name, sizeof name, "$%d", k + 1);
        part->parameters[k] = sqlite3_bind_parameter_index(part->sqlite, name);
    }
    return code;
}

static struct sqlite_prepared *prepare_statement(sqlite_connection *c, const statement *s)
{
    unsigned i = (unsigned)((uintptr_t)s / 8 % SQLITE_PREPARED);
    for (; c->prepared[i].statement; i = (i + 1) % SQLITE_PREPARED)
        if (c->prepared[i].statement == s)
            return &c->prepared[i];
    if (c->count == SQLITE_PREPARED / 2) {          /* far more than a program has: it makes them up */
        forget_statements(c);
        i = (unsigned)((uintptr_t)s / 8 % SQLITE_PREPARED);
    }
    struct sqlite_prepared *p = &c->prepared[i];
    const char *sql = s->sqlite ? s->sqlite : s->sql;
    for (int k = 0; k < SQLITE_PARTS && *sql; k++)
        if (prepare_part(c, &p->parts[k], sql, &sql)) {
            sqlite3_finalize(p->parts[0].sqlite);
            *p = (struct sqlite_prepared){ 0 };
            return NULL;
        }
    p->statement = s;
    c->count++;
    return p;
}

static int bind_all(const struct sqlite_part *p, int count, const value parameters[])
{
    assert(sqlite3_bind_parameter_count(p->sqlite) <= count && "a parameter is missing");
    int code = 0;
    for (int i = 0; i < count && !code; i++) {
        const value *v = &parameters[i];
        const int number = p->parameters[i];
        if (number == 0)
            continue;
        switch (v->type) {
        case VALUE_NULL:    code = sqlite3_bind_null(p->sqlite, number); break;
        case VALUE_INTEGER: code = sqlite3_bind_int64(p->sqlite, number, v->integer); break;
        case VALUE_TEXT:
            code = sqlite3_bind_text64(p->sqlite, number, v->text.at, v->text.length, SQLITE_STATIC, SQLITE_UTF8);
            break;
        }
    }
    return code;
}

static void start_clock(sqlite_connection *c)
{
    const uint64_t now = uv_hrtime();
    c->late = c->client_gone = false;
    c->next_client_check = now + CLIENT_CHECK;
    c->deadline = deadline_after(now, c->timeout_ms);
    if (c->blocking)
        c->deadline = deadline_sooner(c->deadline, blocking_deadline());
    c->lock_deadline = now + LOCK_TIMEOUT_MS * MS;
    if (c->file && now >= c->next_file_check) {
        c->next_file_check = now + FILE_CHECK;
        sqlite_file_identity_check(c->file);        /* says it; what was stored before can still be read */
    }
}

/* That it was stopped, because it was cancelled or late, is not logged. */
static int error_of(sqlite_connection *c, const statement *s)
{
    const int code = sqlite3_errcode(c->sqlite);
    if (code == SQLITE_INTERRUPT || code == SQLITE_BUSY) {
        if (c->client_gone || is_cancelled(c))
            return UV_ECANCELED;
        if (c->late)
            return UV_ETIMEDOUT;
    }
    return sqlite_error_log(c->sqlite, s->name);
}

/* The row that has come; what its statement says of columns was true when that was written. */
static int take_row(sqlite3_stmt *sqlite, sqlite_result *r, const statement *s)
{
    const int columns = sqlite3_column_count(sqlite);        /* of another schema now, perhaps */
    if (s->columns && r->count == 0 && strlen(s->columns) != (size_t)columns) {
        value_log_columns(s->name, s->columns, columns);
        return DB_EVALUE;
    }
    const int wrong = sqlite_result_add(r, sqlite, s->columns);
    if (wrong < 0)
        return 0;
    assert(s->columns);                      /* if nothing is said of them, there is nothing wrong */
    value_log_misfit(s->name, r->count, wrong, s->columns[wrong]);
    return DB_EVALUE;
}

/* Steps to the end; the rows go into r, if there is one. */
static int step_to_end(sqlite_connection *c, sqlite3_stmt *sqlite, sqlite_result *r, const statement *s)
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

/* For these jobs, up to behind. r gets the rows, if it is one's own statement. */
static int run_statement(sqlite_connection *c, const sqlite_job *jobs, const sqlite_job *behind, const statement *s, int n,
                         const value parameters[], sqlite_result *r)
{
    c->running = jobs;
    c->behind = behind;
    start_clock(c);
    const struct sqlite_prepared *p = prepare_statement(c, s);
    if (!p)
        return error_of(c, s);
    const struct sqlite_part *last = p->parts[1].sqlite ? &p->parts[1] : &p->parts[0];
    for (const struct sqlite_part *part = p->parts; part <= last; part++) {
        sqlite_result *const into = part == last ? r : NULL;
        if (r && bind_all(part, n, parameters))
            return error_of(c, s);
        if (into)
            into->columns = sqlite3_column_count(part->sqlite);
        const int err = step_to_end(c, part->sqlite, into, s);
        if (err)
            return err;
    }
    return 0;
}

static int run_job(sqlite_connection *c, sqlite_job *j, const statement *s, int n, const value parameters[], sqlite_result *r)
{
    if (atomic_load_explicit(&j->cancelled, memory_order_relaxed))
        return UV_ECANCELED;
    return run_statement(c, j, j->next, s, n, parameters, r);
}

static int run_steps(sqlite_connection *c, sqlite_job *j)
{
    int err = 0;
    for (int i = 0; i < j->step_count && !err; i++) {
        const db_step *s = &j->steps[i];
        sqlite_result_clear(&j->results[i]);
        err = run_job(c, j, s->statement, s->n, s->parameters, &j->results[i]);
    }
    return err;
}

int sqlite_connection_run(sqlite_connection *c, sqlite_job *j)
{
    forget_key(c);
    if (j->steps)
        return run_steps(c, j);
    sqlite_result_clear(&j->result);
    if (!j->runs)
        return run_job(c, j, j->statement, j->count, j->parameters, &j->result);
    const uint64_t began = uv_hrtime();
    int err = 0;
    for (int i = 0; i < j->runs && !err; i++) {
        err = run_job(c, j, j->statement, j->count, driver_parameters_of(i, j->count, j->each), &j->result);
        j->ends[i] = j->result.count;
    }
    j->took = (uv_hrtime() - began) / (uint64_t)j->runs;
    return err;
}

int sqlite_connection_execute(sqlite_connection *c, const sqlite_job *group, const statement *s)
{
    return run_statement(c, group, NULL, s, 0, NULL, NULL);
}
