/* boards_sqlite.c - the floor below /db, /queries, /updates and /fortunes on SQLite.
 *
 *   boards_sqlite PORT FILE
 *
 * Prepared statements run right on the loop, those of a turn in one transaction, and its updates are answered when that
 * has been committed. */
#include "boards.h"
#include "floor.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

enum { BODY = 64 * 1024, MOST_FORTUNES = 100, MOST_UPDATED = 4096 };

typedef struct updated {
    client *client;
    int count;
    world worlds[BOARD_MOST];
} updated;

static sqlite3 *database;
static sqlite3_stmt *read_world, *update_world, *fortunes_all, *begin, *commit;
static bool in_transaction;
static updated *waiting[MOST_UPDATED]; /* for the commit; allocated once each */
static int waiting_count;
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

static void finish(client *c, const char *type, const char *end)
{
    char *const body = room + FLOOR_HEAD;
    floor_send(c, type, body, (size_t)(end - body));
}

static void on_turn_ended(void)
{
    if (in_transaction)
        run(commit);
    in_transaction = false;
    for (int i = 0; i < waiting_count; i++) {
        const updated *u = waiting[i];
        finish(u->client, "application/json",
               put_worlds(room + FLOOR_HEAD, u->worlds, u->count, BOARD_UPDATES));
    }
    waiting_count = 0;
}

static void read_worlds(world worlds[], int count)
{
    for (int i = 0; i < count; i++) {
        sqlite3_bind_int(read_world, 1, worlds[i].id);
        if (sqlite3_step(read_world) != SQLITE_ROW)
            floor_die("there is no such world");
        worlds[i].number = sqlite3_column_int(read_world, 0);
        sqlite3_reset(read_world);
    }
}

static void update(client *c, int count)
{
    if (waiting_count == MOST_UPDATED)
        floor_die("too many updates in one turn");
    updated **u = &waiting[waiting_count++];
    *u = *u ? *u : malloc(sizeof **u);
    (*u)->client = c;
    (*u)->count = count;
    choose_worlds((*u)->worlds, count, BOARD_UPDATES);
    read_worlds((*u)->worlds, count);
    for (int i = 0; i < count; i++) {
        (*u)->worlds[i].number = board_random();
        sqlite3_bind_int(update_world, 1, (*u)->worlds[i].number);
        sqlite3_bind_int(update_world, 2, (*u)->worlds[i].id);
        run(update_world);
    }
    c->waiting++;
}

static void answer_with_fortunes(client *c)
{
    static char messages[64 * 1024];         /* a row's text lives only until the next one */
    fortune fortunes[MOST_FORTUNES + 1];
    int count = 0;
    for (char *m = messages; count < MOST_FORTUNES && sqlite3_step(fortunes_all) == SQLITE_ROW; count++) {
        const size_t length = (size_t)sqlite3_column_bytes(fortunes_all, 1);
        if (length > (size_t)(messages + sizeof messages - m))
            floor_die("the fortunes are too long");
        fortunes[count] = (fortune){ sqlite3_column_int(fortunes_all, 0), m, length };
        m = mempcpy(m, sqlite3_column_text(fortunes_all, 1), length);
    }
    sqlite3_reset(fortunes_all);
    finish(c, "text/html; charset=utf-8", put_fortunes(room + FLOOR_HEAD, fortunes, count));
}

void floor_answer(client *c, const char *path)
{
    world worlds[BOARD_MOST];
    const board b = board_of(path);
    const int count = board_count(path);
    if (!in_transaction)
        run(begin);
    in_transaction = true;
    switch (b) {
    case BOARD_UPDATES: update(c, count); break;
    case BOARD_FORTUNES: answer_with_fortunes(c); break;
    default:
        choose_worlds(worlds, count, b);
        read_worlds(worlds, count);
        finish(c, "application/json", put_worlds(room + FLOOR_HEAD, worlds, count, b));
    }
}

static void prepare(const char *sql, sqlite3_stmt **s)
{
    must(sqlite3_prepare_v3(database, sql, -1, SQLITE_PREPARE_PERSISTENT, s, NULL));
}

int main(int argc, char *argv[])
{
    if (argc != 3)
        floor_die("boards_sqlite PORT FILE");
    must(sqlite3_open_v2(argv[2], &database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL));
    sqlite3_busy_timeout(database, 10000);
    /* All of the file fits: a page that has been read once is not read again. */
    must(sqlite3_exec(database, "pragma cache_size = -131072; pragma synchronous = full", NULL, NULL, NULL));
    prepare(WORLD_BY_ID, &read_world);
    prepare("update world set randomnumber = $1 where id = $2", &update_world);
    prepare(FORTUNES, &fortunes_all);
    prepare("begin", &begin);
    prepare("commit", &commit);
    floor_run(atoi(argv[1]), on_turn_ended, NULL);
}
