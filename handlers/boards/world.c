/* world.c - see world.h. */
#include "world.h"
#include "boards.h"

#include <stdlib.h>

static const statement WORLD_BY_ID = {
    .name  = "world_by_id",
    .sql   = "select randomnumber from world where id = $1",
    .reads = true, .columns = "i",
};

int world_random(void)
{
    static _Thread_local struct drand48_data generator;
    static _Thread_local bool seeded;
    long bits;                               /* 31 of them */
    if (!seeded) {
        unsigned short seed[3] = { 0 };
        uv_random(NULL, NULL, seed, sizeof seed, 0, NULL);
        seed48_r(seed, &generator);
        seeded = true;
    }
    lrand48_r(&generator, &bits);
    return 1 + (int)((bits * WORLD_ROWS) >> 31);
}

async int worlds_read(request *req, world worlds[], int count)
{
    rows *found = request_alloc(req, (size_t)count * sizeof *found);
    value *ids = request_alloc(req, (size_t)count * sizeof *ids);
    for (int i = 0; i < count; i++)
        ids[i] = integer(worlds[i].id);
    const int err = await(site_query_each(req, found, &WORLD_BY_ID, count, 1, ids));
    if (err)
        return board_failed(req, err);
    for (int i = 0; i < count; i++) {
        if (found[i].count != 1)
            return respond_problem(req, 500, "The table world has no row %d: it should have %d.", worlds[i].id, WORLD_ROWS);
        worlds[i].number = (int)rows_int(&found[i], 0, 0);
    }
    return 0;
}

void world_write(buffer *b, world w)
{
    buffer_text(b, TEXT("{\"id\":"));
    buffer_int(b, w.id);
    buffer_text(b, TEXT(",\"randomNumber\":"));
    buffer_int(b, w.number);
    buffer_text(b, TEXT("}"));
}

int worlds_respond(request *req, const world worlds[], int count)
{
    buffer b;
    buffer_init(&b, request_arena(req));
    for (int i = 0; i < count; i++) {
        buffer_text(&b, i ? TEXT(",") : TEXT("["));
        world_write(&b, worlds[i]);
    }
    buffer_text(&b, TEXT("]"));
    return respond(req, 200, "application/json", buffer_all(&b));
}
