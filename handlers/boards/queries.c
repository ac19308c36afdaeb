/* queries.c - GET /queries?queries=N: so many random rows of the table world, each by a query of its own. */
#include "boards.h"
#include "world.h"

async int board_queries(request *req)
{
    const int count = board_count(req, "queries");
    world *worlds = request_alloc(req, (size_t)count * sizeof *worlds);
    for (int i = 0; i < count; i++)
        worlds[i].id = world_random();
    const int err = worlds_read(req, worlds, count);
    return err ? err : worlds_respond(req, worlds, count);
}
