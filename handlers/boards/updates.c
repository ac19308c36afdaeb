/* updates.c - GET /updates?queries=N: reads so many random rows of the table world as /queries does, gives each another
 * number, and writes them all with one statement. */
#include "boards.h"
#include "world.h"

/* {ID, ...} and {NUMBER, ...}. Of arrays PostgreSQL expects few elements, and looks each row up by its id; of JSON it
 * expects so many that it would read the whole table. */
static const statement UPDATE_ON_POSTGRES = {
    .name = "worlds_update",
    .sql  = "update world set randomnumber = given.number"
            " from unnest(cast($1 as int[]), cast($2 as int[])) as given (id, number) where world.id = given.id",
};

/* {"ID":NUMBER, ...} */
static const statement UPDATE_ON_SQLITE = {
    .name = "worlds_update",
    .sql  = "update world set randomnumber = given.value"
            " from json_each($1) as given where world.id = cast(given.key as integer)",
};

/* The ids differ, so that each row is stored as it is told; and they ascend, so that of two requests that write the
 * same rows one waits for the other. */
static void choose_worlds(world worlds[], int count)
{
    enum { BITS = 64 };
    uint64_t chosen[WORLD_ROWS / BITS + 1] = { 0 };
    for (int n = 0; n < count;) {
        const int id = world_random();
        const uint64_t bit = 1ull << id % BITS;
        n += !(chosen[id / BITS] & bit);
        chosen[id / BITS] |= bit;
    }
    for (int i = 0, n = 0; n < count; i++)
        for (; chosen[i]; chosen[i] &= chosen[i] - 1)
            worlds[n++].id = i * BITS + __builtin_ctzll(chosen[i]);
}

static promise *update_on_postgres(request *req, rows *none, const world worlds[], int count)
{
    buffer ids, numbers;
    buffer_init(&ids, request_arena(req));
    buffer_init(&numbers, request_arena(req));
    for (int i = 0; i < count; i++) {
        buffer_text(&ids, i ? TEXT(",") : TEXT("{"));
        buffer_int(&ids, worlds[i].id);
        buffer_text(&numbers, i ? TEXT(",") : TEXT("{"));
        buffer_int(&numbers, worlds[i].number);
    }
    buffer_text(&ids, TEXT("}"));
    buffer_text(&numbers, TEXT("}"));
    return query(req, none, &UPDATE_ON_POSTGRES, string(buffer_all(&ids)), string(buffer_all(&numbers)));
}

static promise *update_on_sqlite(request *req, rows *none, const world worlds[], int count)
{
    buffer b;
    buffer_init(&b, request_arena(req));
    for (int i = 0; i < count; i++) {
        buffer_text(&b, i ? TEXT(",\"") : TEXT("{\""));
        buffer_int(&b, worlds[i].id);
        buffer_text(&b, TEXT("\":"));
        buffer_int(&b, worlds[i].number);
    }
    buffer_text(&b, TEXT("}"));
    return query(req, none, &UPDATE_ON_SQLITE, string(buffer_all(&b)));
}

async int board_updates(request *req)
{
    rows none = { 0 };
    const int count = board_count(req, "queries");
    world *worlds = request_alloc(req, (size_t)count * sizeof *worlds);
    choose_worlds(worlds, count);
    int err = worlds_read(req, worlds, count);
    if (err)
        return err;

    for (int i = 0; i < count; i++)
        worlds[i].number = world_random();
    err = await((site_on_postgres() ? update_on_postgres : update_on_sqlite)(req, &none, worlds, count));
    return err ? board_failed(req, err) : worlds_respond(req, worlds, count);
}
