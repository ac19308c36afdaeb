/* crud_write.c - POST /crud/items: a new item, or another in its place; PUT /crud/items/ID: a changed one. */
#include "boards.h"
#include "item_cache.h"
#include "handlers/users/post.h"
#include "handlers/site.h"
#include "server/async/task.h"
#include "server/http/conditions.h"
#include "server/http/message/head.h"

enum { LONGEST = 200 };                      /* bytes of a name or category */

static const statement ITEM_NEW = {
    .name    = "item_new",
    .sql     = "insert into items (" ITEM_COLUMNS ") values ($1, $2, $3, $4, $5, true, '[]', 0, 0)"
               " on conflict (id) do update set name = excluded.name, category = excluded.category,"
               " price = excluded.price, quantity = excluded.quantity returning " ITEM_COLUMNS,
    .columns = ITEM_LETTERS,
};

static const statement ITEM_CHANGE = {
    .name    = "item_change",
    .sql     = "update items set name = $2, price = $3, quantity = $4, category = coalesce($5, category) where id = $1"
               " returning " ITEM_COLUMNS,
    .columns = ITEM_LETTERS,
};

/* What has come of an item. */
typedef struct item_body { const json_t *id, *name, *category, *price, *quantity; } item_body;

static void free_json(void *arg) { json_decref(arg); }

static bool is_text(const json_t *j)
{
    return json_is_string(j) && json_string_length(j) > 0 && json_string_length(j) <= LONGEST;
}

/* As the column has it: an integer of 32 bits. */
static bool is_number(const json_t *j)
{
    return json_is_integer(j) && json_integer_value(j) >= INT32_MIN && json_integer_value(j) <= INT32_MAX;
}

static int item_body_read(request *req, item_body *i)
{
    char why[POST_WHY];
    json_t *object;
    if (!text_is(request_type(req), "application/json"))
        return respond_problem(req, 415, "An item comes as application/json.");
    const int err = post_parse(request_body(req), &object, why);
    if (err)
        return respond_problem(req, status_of(err), "%s", why);
    arena_defer(request_arena(req), free_json, object);      /* the texts are views into it */
    *i = (item_body){ json_object_get(object, "id"), json_object_get(object, "name"), json_object_get(object, "category"),
                      json_object_get(object, "price"), json_object_get(object, "quantity") };
    if (is_text(i->name) && (!i->category || is_text(i->category)) && is_number(i->price) && is_number(i->quantity))
        return 0;
    return respond_problem(req, 422, "An item is an object with the strings name and category, of 1 to %d bytes, and the whole "
                           "numbers price and quantity, of 32 bits.", LONGEST);
}

static value text_value(const json_t *j) { return string((text){ json_string_value(j), json_string_length(j) }); }
static value number_value(const json_t *j) { return integer(json_integer_value(j)); }

async int board_crud_new(request *req)
{
    item_body i;
    rows stored;
    int err = conditions_check(req, "", CONDITIONS_NO_TIME);
    if (!err)
        err = item_body_read(req, &i);
    if (err)
        return err;
    if (!is_number(i.id) || !i.category)
        return respond_problem(req, 422, "A new item has the whole number id, of 32 bits, and the string category, too.");
    err = await(query(req, &stored, &ITEM_NEW, number_value(i.id), text_value(i.name), text_value(i.category),
                      number_value(i.price), number_value(i.quantity)));
    item_cache_forget(json_integer_value(i.id));
    if (err)
        return board_failed(req, err);
    const item created = item_of_row(&stored, 0);
    respond_header(req, "Location", "/crud/items/%lld", (long long)created.id);
    return respond_item(req, 201, &created);
}

async int board_crud_change(request *req)
{
    int64_t id;
    item_body i;
    rows stored;
    if (request_param_int(req, "id", &id))
        return respond_problem(req, 400, "An item's id is a whole number.");
    int err = conditions_check(req, "", CONDITIONS_NO_TIME);
    if (!err)
        err = item_body_read(req, &i);
    if (err)
        return err;
    err = await(query(req, &stored, &ITEM_CHANGE, integer(id), text_value(i.name), number_value(i.price),
                      number_value(i.quantity), i.category ? text_value(i.category) : (value){ .type = VALUE_NULL }));
    item_cache_forget(id);
    if (err)
        return board_failed(req, err);
    if (stored.count == 0)
        return E_NOT_FOUND;
    const item changed = item_of_row(&stored, 0);
    return respond_item(req, 200, &changed);
}
