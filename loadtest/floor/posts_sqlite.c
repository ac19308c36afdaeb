/* posts_sqlite.c - the floor below POST /users/ID/posts on SQLite: the same inserts in a loop, so many in a transaction.
 *
 *   posts_sqlite FILE GROUP SECONDS
 *
 * The file is one that tenk has made, and as safe as there: a transaction is on the disk before the next one begins. It prints
 * a line of JSON: how many posts, in how many microseconds. */
#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define INSERT                                                                                     \
    "insert into posts (user_id, title, body, created_at) select id, ?2, ?3, ?4 from users where id = ?1 returning id"

static sqlite3 *database;

static void die(const char *why)
{
    fprintf(stderr, "posts_sqlite: %s\n", why);
    exit(1);
}

static int64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static sqlite3_stmt *prepared(const char *sql)
{
    sqlite3_stmt *s;
    if (sqlite3_prepare_v3(database, sql, -1, SQLITE_PREPARE_PERSISTENT, &s, NULL))
        die(sqlite3_errmsg(database));
    return s;
}

static void run(sqlite3_stmt *s, int rows)
{
    int code;
    while ((code = sqlite3_step(s)) == SQLITE_ROW)
        rows--;
    if (code != SQLITE_DONE || rows != 0)
        die(code != SQLITE_DONE ? sqlite3_errmsg(database) : "there is no such user");
    sqlite3_reset(s);
}

int main(int argc, char *argv[])
{
    if (argc != 4 || atoi(argv[2]) <= 0)
        die("posts_sqlite FILE GROUP SECONDS");
    const int group = atoi(argv[2]);
    const char *const as_tenk = "pragma synchronous = full; pragma foreign_keys = on; pragma cache_size = -8192";
    if (sqlite3_open_v2(argv[1], &database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) ||
        sqlite3_exec(database, as_tenk, NULL, NULL, NULL))
        die(sqlite3_errmsg(database));
    sqlite3_stmt *const begin = prepared("begin immediate"), *const commit = prepared("commit");
    sqlite3_stmt *const insert = prepared(INSERT);

    char body[12 * sizeof "lorem ipsum dolor "] = "";
    for (int i = 0; i < 12; i++)
        strcat(body, "lorem ipsum dolor ");
    sqlite3_bind_text(insert, 2, "A measured post", -1, SQLITE_STATIC);
    sqlite3_bind_text(insert, 3, body, -1, SQLITE_STATIC);
    sqlite3_bind_int64(insert, 4, time(NULL));

    const int64_t since = now(), until = since + (int64_t)(atof(argv[3]) * 1e6);
    long posts = 0;
    do {
        run(begin, 0);
        for (int i = 0; i < group; i++, posts++) {
            sqlite3_bind_int64(insert, 1, rand() % 10000 + 1);
            run(insert, 1);
        }
        run(commit, 0);
    } while (now() < until);
    printf("{\"posts\": %ld, \"microseconds\": %lld}\n", posts, (long long)(now() - since));
    return 0;
}
