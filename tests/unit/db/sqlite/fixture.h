/* fixture.h - a small SQLite database, a loop and a db of it, for the tests of the driver. */
#ifndef TESTS_SQLITE_FIXTURE_H
#define TESTS_SQLITE_FIXTURE_H

#include "db/db.h"
#include "db/sqlite/sqlite.h"
#include "server/async/loop.h"
#include "files.h"
#include "tests/support/support.h"

#include <check.h>
#include <sched.h>
#include <sqlite3.h>
#include <stdio.h>

static const statement USER  = { "user", "select id, name, email from users where id = $1", true };
static const statement POSTS = { "posts", "select id, title, body, created_at from posts where user_id = $1 order by id", true };
static const statement TYPES = { "types", "select $2, $1, null, '', $3, $2, 1.5", true };
static const statement COUNT = { "count", "with recursive n(i) as (select 1 union all select i + 1 from n where i < $1)"
                                          " select count(*) from n", true };
static const statement ADD   = { "add", "insert into posts (user_id, title, body, created_at) values ($1, $2, 'b', 1)"
                                        " returning id", false };
static const statement SLOW_ADD = { "slow add", "insert into posts (user_id, title, body, created_at) with recursive n(i) as"
                                    " (select 1 union all select i + 1 from n where i < $1)"
                                    " select 1, 'slow', 'b', max(i) from n", false };
static const statement WRONG = { "wrong", "select nothing from nowhere", true };

enum { FOR_EVER = 2000000000 };              /* how far COUNT counts: minutes */
enum { CACHE = 4 << 20 };                    /* bytes, of all readers */

static const char      *path;
static char             url[160];
static database_options options;
static database        *whole;
static db              *here;
static arena            memory;

static inline void open_at(const char *file, int readers, int line, uint64_t timeout_ms, uint64_t line_timeout_ms)
{
    char why[256] = "";
    path = file;
    files_make(path, 50);
    snprintf(url, sizeof url, "sqlite:%s", path);
    options = (database_options){ .url = url, .readers = readers, .cache = CACHE, .line = line, .timeout_ms = timeout_ms,
                                  .line_timeout_ms = line_timeout_ms };
    ck_assert_msg(database_open(&whole, &options, why, sizeof why) == 0, "%s", why);
}

static inline void open_it(int readers, int line, uint64_t timeout_ms, uint64_t line_timeout_ms)
{
    open_at(files_path("test.db"), readers, line, timeout_ms, line_timeout_ms);
}

static inline void on_loop(int readers, int line, uint64_t timeout_ms, uint64_t line_timeout_ms)
{
    open_it(readers, line, timeout_ms, line_timeout_ms);
    loop_start();
    here = db_new(whole);
}

static inline void close_it(void)
{
    ck_assert_int_eq(outcome_of(db_close(here)), 0);
    db_free(here);
    arena_done(&memory);
    database_close(whole);
}

/* What was opened with here = db_new(whole), without a loop: blocking. */
static inline void close_way(bool blocking)
{
    if (!blocking) {
        close_it();
        return;
    }
    ck_assert_int_eq(outcome_now(db_close(here)), 0);
    db_free(here);
    arena_done(&memory);
    database_close(whole);
}

static inline int outcome_way(bool blocking, promise *p) { return blocking ? outcome_now(p) : outcome_of(p); }

static inline promise *run(const statement *s, rows *out, int64_t first)
{
    return db_query(here, &memory, NULL, out, s, 1, (value[]){ integer(first) });
}

static inline promise *add(rows *out, int64_t user, const char *title)
{
    return db_query(here, &memory, NULL, out, &ADD, 2, (value[]){ integer(user), string(text_of(title)) });
}

/* Until so many of the workers have nothing to do: then the others have taken what they do. */
static inline void until_idle(bool readers, int n)
{
    while (atomic_load(&sqlite_workers_queue(((sqlite_database *)whole)->workers, readers)->idle) != n)
        if (loop_here())
            uv_run(loop_here(), UV_RUN_NOWAIT);
        else
            sched_yield();
}

/* Another connection holds the lock for writing; what comes meanwhile is one group when it lets go. */
static inline sqlite3 *lock_it(void)
{
    sqlite3 *s;
    ck_assert_int_eq(sqlite3_open(path, &s), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(s, "begin immediate", NULL, NULL, NULL), SQLITE_OK);
    return s;
}

static inline void unlock_it(sqlite3 *s)
{
    sqlite3_exec(s, "rollback", NULL, NULL, NULL);
    sqlite3_close(s);
}

#endif
