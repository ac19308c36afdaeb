/* boards_sqlite.c - the floor below /db, /queries, /updates and /fortunes on SQLite.
 *
 *   boards_sqlite PORT FILE
 *
 * The updates of a turn are answered when its transaction has been committed. */
#include "boards.h"
#include "floor.h"
#include "sqlite.h"

#include <stdlib.h>
#include <string.h>

enum { BODY = 64 * 1024, MOST_FORTUNES = 100, MOST_UPDATED = 4096 };

typedef struct updated {
    client *client;
    int count;
    world worlds[BOARD_MOST];
} updated;

static sqlite3_stmt *read_world, *update_world, *fortunes_all;
static updated *waiting[MOST_UPDATED]; /* for the commit; allocated once each */
static int waiting_count;
static char room[FLOOR_HEAD + BODY];

static void finish(client *c, const char *type, const char *end)
{
    char *const body = room + FLOOR_HEAD;
    floor_send(c, type, body, (size_t)(end - body));
}

static void on_committed(void)
{
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
        sqlite_run(update_world);
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
    sqlite_begin();
    switch (b) {
    case BOARD_UPDATES: update(c, count); break;
    case BOARD_FORTUNES: answer_with_fortunes(c); break;
    default:
        choose_worlds(worlds, count, b);
        read_worlds(worlds, count);
        finish(c, "application/json", put_worlds(room + FLOOR_HEAD, worlds, count, b));
    }
}

int main(int argc, char *argv[])
{
    if (argc != 3)
        floor_die("boards_sqlite PORT FILE");
    sqlite_open(argv[2]);
    sqlite_prepare(WORLD_BY_ID, &read_world);
    sqlite_prepare("update world set randomnumber = $1 where id = $2", &update_world);
    sqlite_prepare(FORTUNES, &fortunes_all);
    sqlite_serve(atoi(argv[1]), on_committed);
}
