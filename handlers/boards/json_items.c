/* json_items.c - GET /json/COUNT?m=M: so many items of the data set, with totals by that factor; compressed for who takes
 * it. */
#include "boards.h"
#include "dataset.h"
#include "server/async/task.h"
#include "server/http/compression.h"

static bool total_of(const item *i, int64_t factor, int64_t *total)
{
    return !__builtin_mul_overflow(i->price, i->quantity, total) && !__builtin_mul_overflow(*total, factor, total);
}

async int board_json(request *req)
{
    int64_t wanted, factor = 1;
    if (request_param_int(req, "count", &wanted) || wanted < 0 || wanted > dataset_count() ||
        request_query_int(req, "m", &factor))
        return respond_problem(req, 400, "Say how many: /json/COUNT?m=M, from 0 to %d, and a whole number.", dataset_count());
    buffer b;
    buffer_init(&b, request_arena(req));
    buffer_text(&b, TEXT("{\"items\":["));
    for (const item *i = dataset_items(), *const end = i + wanted; i < end; i++) {
        int64_t total;
        if (!total_of(i, factor, &total))
            return respond_problem(req, 400, "A total has more than 64 bits.");
        if (i > dataset_items())
            buffer_text(&b, TEXT(","));
        item_write(&b, i);
        buffer_text(&b, TEXT(",\"total\":"));
        buffer_int(&b, total);
        buffer_text(&b, TEXT("}"));
    }
    buffer_text(&b, TEXT("],\"count\":"));
    buffer_int(&b, wanted);
    buffer_text(&b, TEXT("}"));
    return respond_compressed(req, "application/json", buffer_all(&b));
}
