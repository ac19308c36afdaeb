/* db.c - GET /db: a random row of the table world. */
#include "boards.h"
#include "world.h"

async int board_db(request *req)
{
    world one = { .id = world_random() };
    const int err = worlds_read(req, &one, 1);
    if (err)
        return err;
    buffer b;
    buffer_init(&b, request_arena(req));
    world_write(&b, one);
    return respond(req, 200, "application/json", buffer_all(&b));
}
