/* async_db.c - GET /async-db?min=N&max=N&limit=N: items whose price is in between. */
#include "boards.h"
#include "item.h"
#include "handlers/site.h"
#include "server/async/task.h"

enum { MOST = 50 };

static const statement ITEMS_BY_PRICE = {
    .name  = "items_by_price",
    .sql   = "select " ITEM_COLUMNS " from items where price between $1 and $2 limit $3",
    .reads = true, .columns = ITEM_LETTERS,
};

async int board_async_db(request *req)
{
    int64_t min = 10, max = 50, limit = MOST;
    rows found;
    if (request_query_int(req, "min", &min) || request_query_int(req, "max", &max) || request_query_int(req, "limit", &limit))
        return respond_problem(req, 400, "min, max and limit are whole numbers.");
    limit = limit < 1 ? 1 : limit < MOST ? limit : MOST;
    const int err = await(query(req, &found, &ITEMS_BY_PRICE, integer(min), integer(max), integer(limit)));
    if (err)
        return board_failed(req, err);
    buffer b;
    buffer_init(&b, request_arena(req));
    items_write(&b, &found);
    buffer_text(&b, TEXT("\"count\":"));
    buffer_int(&b, found.count);
    buffer_text(&b, TEXT("}"));
    return respond(req, 200, "application/json", buffer_all(&b));
}
