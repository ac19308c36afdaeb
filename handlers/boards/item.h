/* item.h - what HttpArena's routes answer with: an item, of its data set or of the table items. */
#ifndef ITEM_H
#define ITEM_H

#include "db/db.h"
#include "server/base/buffer.h"
#include "server/http/request.h"

typedef struct item {
    int64_t     id, price, quantity, score, count;           /* the last two are its rating */
    text        name, category;
    bool        active;
    const text *tags;                        /* tag_count of them; NULL: */
    int         tag_count;
    text        tags_json;                   /* the same as JSON, as a database has it */
} item;

/* The columns of items by which it is read, and their letters (db.h). */
#define ITEM_COLUMNS "id, name, category, price, quantity, active, tags, rating_score, rating_count"
#define ITEM_LETTERS "ittiibtii"

item item_of_row(const rows *r, int row);    /* its texts are the rows' */

/* Its members as JSON, after an opening brace: there may be more before the closing one. */
void item_write(buffer *b, const item *i);

/* {"items":[...], and room for more members. */
void items_write(buffer *b, const rows *r);

int  respond_item(request *req, int status, const item *i);

#endif
