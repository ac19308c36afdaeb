/* item.c - see item.h. */
#include "item.h"

item item_of_row(const rows *r, int row)
{
    return (item){
        .id = rows_int(r, row, 0), .name = rows_text(r, row, 1), .category = rows_text(r, row, 2),
        .price = rows_int(r, row, 3), .quantity = rows_int(r, row, 4), .active = rows_bool(r, row, 5),
        .tags_json = rows_text(r, row, 6), .score = rows_int(r, row, 7), .count = rows_int(r, row, 8),
    };
}

static void item_write_tags(buffer *b, const item *i)
{
    if (!i->tags) {
        buffer_text(b, i->tags_json);
        return;
    }
    buffer_text(b, TEXT("["));
    for (int k = 0; k < i->tag_count; k++) {
        if (k > 0)
            buffer_text(b, TEXT(","));
        buffer_json(b, i->tags[k]);
    }
    buffer_text(b, TEXT("]"));
}

void item_write(buffer *b, const item *i)
{
    buffer_text(b, TEXT("{\"id\":"));
    buffer_int(b, i->id);
    buffer_text(b, TEXT(",\"name\":"));
    buffer_json(b, i->name);
    buffer_text(b, TEXT(",\"category\":"));
    buffer_json(b, i->category);
    buffer_text(b, TEXT(",\"price\":"));
    buffer_int(b, i->price);
    buffer_text(b, TEXT(",\"quantity\":"));
    buffer_int(b, i->quantity);
    buffer_text(b, i->active ? TEXT(",\"active\":true,\"tags\":") : TEXT(",\"active\":false,\"tags\":"));
    item_write_tags(b, i);
    buffer_text(b, TEXT(",\"rating\":{\"score\":"));
    buffer_int(b, i->score);
    buffer_text(b, TEXT(",\"count\":"));
    buffer_int(b, i->count);
    buffer_text(b, TEXT("}"));
}

void items_write(buffer *b, const rows *r)
{
    buffer_text(b, TEXT("{\"items\":["));
    for (int row = 0; row < r->count; row++) {
        const item i = item_of_row(r, row);
        if (row > 0)
            buffer_text(b, TEXT(","));
        item_write(b, &i);
        buffer_text(b, TEXT("}"));
    }
    buffer_text(b, TEXT("],"));
}

int respond_item(request *req, int status, const item *i)
{
    buffer b;
    buffer_init(&b, request_arena(req));
    item_write(&b, i);
    buffer_text(&b, TEXT("}"));
    return respond(req, status, "application/json", buffer_all(&b));
}
