/* cached_queries.c - GET /cached-queries?count=N: so many random rows of the table world, from memory.
 *
 * All threads share the cache. A row that is not in it, or that has been for a minute, is read from the database. */
#include "boards.h"
#include "world.h"

#include <stdatomic.h>

enum { KEPT_S = 60 };

static _Atomic uint64_t cache[WORLD_ROWS + 1];       /* by id: the second when it was read, 0 for never, and its number */

static uint64_t second_now(void) { return 1 + uv_hrtime() / 1000000000; }

static bool world_recall(world *w, uint64_t now)
{
    const uint64_t kept = atomic_load_explicit(&cache[w->id], memory_order_relaxed);
    w->number = (int)(uint32_t)kept;
    return kept && now - (kept >> 32) < KEPT_S;
}

static void world_keep(world w, uint64_t now)
{
    atomic_store_explicit(&cache[w.id], now << 32 | (uint32_t)w.number, memory_order_relaxed);
}

async int board_cached_queries(request *req)
{
    const uint64_t now = second_now();
    const int count = board_count(req, "count");
    world *worlds = request_alloc(req, (size_t)count * sizeof *worlds), *missed = NULL;
    int misses = 0;
    for (int i = 0; i < count; i++) {
        worlds[i].id = world_random();
        if (!world_recall(&worlds[i], now)) {
            if (!missed)
                missed = request_alloc(req, (size_t)count * sizeof *missed);
            missed[misses++] = worlds[i];
        }
    }
    if (misses) {
        const int err = worlds_read(req, missed, misses);
        if (err)
            return err;
        for (int i = 0; i < misses; i++)
            world_keep(missed[i], now);
        for (int i = 0; i < count; i++)
            world_recall(&worlds[i], now);
    }
    return worlds_respond(req, worlds, count);
}
