/* boards_postgres.c - the floor below /db, /queries, /updates and /fortunes on PostgreSQL.
 *
 *   boards_postgres PORT CONNINFO
 *
 * The updates of a turn are one transaction: they are answered with its end. */
#include "boards.h"
#include "floor.h"
#include "postgres.h"

#include <endian.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { BODY = 64 * 1024, MOST_FORTUNES = 100 };

typedef struct asked {
    client *client;
    board board;
    int count, read; /* worlds, and how many of them have come */
    bool updates;    /* they have, and the update is under way */
    struct asked *next;
    world worlds[BOARD_MOST];
} asked;

static asked *updated, *unused; /* until the Sync; and those that are free */
static char room[FLOOR_HEAD + BODY];

static void send_reads(asked *a)
{
    for (int i = 0; i < a->count; i++) {
        const uint64_t id = htobe64((uint64_t)a->worlds[i].id);
        postgres_send("world", 1, (const char *[]){ (const char *)&id }, (int[]){ 8 });
    }
    postgres_expect(a);
}

void floor_answer(client *c, const char *path)
{
    asked *a = unused ? unused : malloc(sizeof *a);
    unused = unused ? unused->next : NULL;
    a->client = c;
    a->board = board_of(path);
    a->count = board_count(path);
    a->read = 0;
    a->updates = false;
    c->waiting++;
    if (a->board == BOARD_FORTUNES) {
        postgres_send("fortunes", 0, NULL, NULL);
        postgres_expect(a);
        return;
    }
    choose_worlds(a->worlds, a->count, a->board);
    send_reads(a);
}

static void finish(asked *a, const char *type, const char *end)
{
    char *const body = room + FLOOR_HEAD;
    floor_send(a->client, type, body, (size_t)(end - body));
    a->next = unused;
    unused = a;
}

static void answer_with_worlds(asked *a)
{
    finish(a, "application/json", put_worlds(room + FLOOR_HEAD, a->worlds, a->count, a->board));
}

static void send_update(asked *a)
{
    char ids[BOARD_MOST * 6 + 2], numbers[BOARD_MOST * 6 + 2], *i = ids, *n = numbers;
    for (int k = 0; k < a->count; k++) {
        a->worlds[k].number = board_random();
        *i++ = *n++ = k > 0 ? ',' : '{';
        i = put_int(i, (unsigned)a->worlds[k].id);
        n = put_int(n, (unsigned)a->worlds[k].number);
    }
    *i++ = *n++ = '}';
    const int lengths[] = { (int)(i - ids), (int)(n - numbers) };
    postgres_send("update", 2, (const char *[]){ ids, numbers }, lengths);
    a->updates = true;
    postgres_expect(a);
}

static uint32_t int4_at(const PGresult *r, int row, int column)
{
    uint32_t big_endian;
    memcpy(&big_endian, PQgetvalue(r, row, column), sizeof big_endian);
    return be32toh(big_endian);
}

static void answer_with_fortunes(asked *a, const PGresult *r)
{
    fortune fortunes[MOST_FORTUNES + 1];
    const int count = PQntuples(r) < MOST_FORTUNES ? PQntuples(r) : MOST_FORTUNES;
    for (int i = 0; i < count; i++)
        fortunes[i] = (fortune){ (int)int4_at(r, i, 0), PQgetvalue(r, i, 1),
                                 (size_t)PQgetlength(r, i, 1) };
    finish(a, "text/html; charset=utf-8", put_fortunes(room + FLOOR_HEAD, fortunes, count));
}

static void on_synced(void)
{
    for (asked *a; (a = updated);) {
        updated = a->next;
        answer_with_worlds(a);
    }
}

static bool on_result(void *whose, PGresult *r)
{
    asked *a = whose;
    bool last = true;
    postgres_must(PQresultStatus(r) == (a->updates ? PGRES_COMMAND_OK : PGRES_TUPLES_OK));
    if (a->updates) {
        a->next = updated;
        updated = a;
    } else if (a->board == BOARD_FORTUNES) {
        answer_with_fortunes(a, r);
    } else {
        a->worlds[a->read++].number = (int)int4_at(r, 0, 0);
        last = a->read == a->count;
        if (last)
            (a->board == BOARD_UPDATES ? send_update : answer_with_worlds)(a);
    }
    PQclear(r);
    return last;
}

int main(int argc, char *argv[])
{
    if (argc != 3)
        floor_die("boards_postgres PORT CONNINFO");
    postgres_open(argv[2]);
    postgres_prepare("world", WORLD_BY_ID, 1, (Oid[]){ INT8 });
    postgres_prepare("fortunes", FORTUNES, 0, NULL);
    postgres_prepare("update",
                     "update world set randomnumber = given.number from unnest(cast($1 as int[]), cast($2 as int[]))"
                     " as given (id, number) where world.id = given.id",
                     2, (Oid[]){ TEXT, TEXT });
    postgres_run(atoi(argv[1]), on_result, on_synced);
}
