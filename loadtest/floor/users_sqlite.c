/* users_sqlite.c - the floor below /users/ID on SQLite.
 *
 *   users_sqlite PORT FILE
 *
 * The two prepared statements run right on the loop, one after the other. A server must not do
 * that, since one slow query would stop everybody; but nothing is cheaper for queries that are
 * fast. */
#include "floor.h"
#include "sqlite.h"
#include "users.h"

#include <stdlib.h>
#include <string.h>

enum { BODY = 1024 * 1024 };

static sqlite3_stmt *user, *posts;
static char room[FLOOR_HEAD + BODY];

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

    sqlite_begin();
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
    sqlite_must(state);
    sqlite3_reset(posts);
    p = put_end(p);
    floor_send(c, "application/json", body, (size_t)(p - body));
}

int main(int argc, char *argv[])
{
    if (argc != 3)
        floor_die("users_sqlite PORT FILE");
    sqlite_open(argv[2]);
    sqlite_prepare(USER_BY_ID, &user);
    sqlite_prepare(POSTS_BY_USER, &posts);
    sqlite_serve(atoi(argv[1]), NULL);
}
