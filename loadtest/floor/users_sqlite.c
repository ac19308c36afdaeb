/* users_sqlite.c - the floor below /users/ID on SQLite.
 *
 *   users_sqlite PORT FILE
 *
 * The two prepared statements run right on the loop, one after the other. A server must not do
 * that, since one slow query would stop everybody; but nothing is cheaper for queries that are
 * fast. */
#include "floor.h"
#include "users.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

enum { BODY = 1024 * 1024 };

static sqlite3 *database;
static sqlite3_stmt *user, *posts, *begin, *commit;
static bool in_transaction;
static char room[FLOOR_HEAD + BODY];

static void must(int code)
{
    if (code != SQLITE_OK)
        floor_die(sqlite3_errmsg(database));
}

static void run(sqlite3_stmt *s)
{
    if (sqlite3_step(s) != SQLITE_DONE)
        floor_die(sqlite3_errmsg(database));
    sqlite3_reset(s);
}

static void on_turn_ended(void)
{
    if (in_transaction)
        run(commit);
    in_transaction = false;
}

static void read_row(sqlite3_stmt *s, cell columns[4])
{
    for (int i = 0; i < 4; i++) {
        if (sqlite3_column_type(s, i) == SQLITE_INTEGER)
            columns[i] = (cell){ .integer = sqlite3_column_int64(s, i) };
        else
            columns[i] = (cell){ .text = (const char *)sqlite3_column_text(s, i),
                                .length = (size_t)sqlite3_column_bytes(s, i) };
    }
}

void floor_answer(client *c, const char *path)
{
    const int64_t id = atoll(path + strlen("/users/"));
    char *const body = room + FLOOR_HEAD, *p = body;
    cell columns[4];
    int state;

    if (!in_transaction)
        run(begin);
    in_transaction = true;

    sqlite3_bind_int64(user, 1, id);
    if (sqlite3_step(user) != SQLITE_ROW)
        floor_die("there is no such user");
    read_row(user, columns);
    p = put_user(p, columns);
    sqlite3_reset(user);

    sqlite3_bind_int64(posts, 1, id);
    for (int i = 0; (state = sqlite3_step(posts)) == SQLITE_ROW; i++) {
        read_row(posts, columns);
        p = put_post(p, columns, i);
    }
    if (state != SQLITE_DONE)
        floor_die(sqlite3_errmsg(database));
    sqlite3_reset(posts);
    p = put_end(p);
    floor_send(c, "application/json", body, (size_t)(p - body));
}

static void prepare(const char *sql, sqlite3_stmt **s)
{
    must(sqlite3_prepare_v3(database, sql, -1, SQLITE_PREPARE_PERSISTENT, s, NULL));
}

int main(int argc, char *argv[])
{
    if (argc != 3)
        floor_die("users_sqlite PORT FILE");
    must(sqlite3_open_v2(argv[2], &database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL));
    /* All of the file fits: a page that has been read once is not read again. */
    must(sqlite3_exec(database, "pragma cache_size = -131072", NULL, NULL, NULL));
    prepare(USER_BY_ID, &user);
    prepare(POSTS_BY_USER, &posts);
    prepare("begin", &begin);
    prepare("commit", &commit);
    floor_run(atoi(argv[1]), on_turn_ended, NULL);
}
