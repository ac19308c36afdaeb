/* crud_item.c - GET /crud/items/ID: an item, from the cache if it was read a moment ago. X-Cache says which. */
#include "boards.h"
#include "item_cache.h"
#include "handlers/site.h"
#include "server/async/task.h"

static const statement ITEM_BY_ID = {
    .name  = "item_by_id",
    .sql   = "select " ITEM_COLUMNS " from items where id = $1",
    .reads = true, .columns = ITEM_LETTERS,
};

async int board_crud_item(request *req)
{
    int64_t id;
    item i;
    item_ticket ticket;
    rows found;
    if (request_param_int(req, "id", &id))
        return respond_problem(req, 400, "An item's id is a whole number.");
    if (item_cache_find(id, uv_hrtime(), request_arena(req), &i, &ticket)) {
        respond_header(req, "X-Cache", "HIT");
        return respond_item(req, 200, &i);
    }
    const int err = await(query(req, &found, &ITEM_BY_ID, integer(id)));
    if (err)
        return board_failed(req, err);
    if (found.count == 0)
        return E_NOT_FOUND;
    i = item_of_row(&found, 0);
    item_cache_keep(&i, uv_hrtime(), ticket);
    respond_header(req, "X-Cache", "MISS");
    return respond_item(req, 200, &i);
}
