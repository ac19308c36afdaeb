/* crud_list.c - GET /crud/items?category=C&page=N&limit=N: a page of a category's items. */
#include "boards.h"
#include "item.h"
#include "handlers/site.h"
#include "server/async/task.h"

enum { MOST = 50, MOST_PAGES = 1000000 };

static const statement ITEMS_OF_CATEGORY = {
    .name  = "items_of_category",
    .sql   = "select " ITEM_COLUMNS " from items where category = $1 order by id limit $2 offset $3",
    .reads = true, .columns = ITEM_LETTERS,
};

async int board_crud_list(request *req)
{
    int64_t page = 1, limit = 10;
    const text category = request_has_query(req, "category") ? request_query(req, "category") : TEXT("electronics");
    rows found;
    if (request_query_int(req, "page", &page) || request_query_int(req, "limit", &limit) || page < 1 || page > MOST_PAGES)
        return respond_problem(req, 400, "page and limit are whole numbers, and pages begin with 1.");
    if (memchr(category.at, '\0', category.length))
        return respond_problem(req, 400, "No category has a NUL in its name.");
    limit = limit < 1 ? 1 : limit < MOST ? limit : MOST;
    const int err = await(query(req, &found, &ITEMS_OF_CATEGORY, string(category), integer(limit), integer((page - 1) * limit)));
    if (err)
        return board_failed(req, err);
    buffer b;
    buffer_init(&b, request_arena(req));
    items_write(&b, &found);
    buffer_text(&b, TEXT("\"total\":"));
    buffer_int(&b, found.count);             /* of this page: to count them all would read all */
    buffer_text(&b, TEXT(",\"page\":"));
    buffer_int(&b, page);
    buffer_text(&b, TEXT(",\"limit\":"));
    buffer_int(&b, limit);
    buffer_text(&b, TEXT("}"));
    return respond(req, 200, "application/json", buffer_all(&b));
}
