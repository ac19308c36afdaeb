/* dataset.c - see dataset.h. */
#include "dataset.h"
#include "server/base/embed.h"
#include "server/base/memory.h"

#include <jansson.h>
#include <stdio.h>
#include <uv.h>

EMBED(dataset_json, "handlers/boards/dataset.json");

static json_t *parsed;                       /* the items' texts are its own */
static item   *items;
static int     count;

static text text_of_json(const json_t *string) { return (text){ json_string_value(string), json_string_length(string) }; }

static bool item_has_tags(item *i, const json_t *tags)
{
    if (!json_is_array(tags))
        return false;
    text *all = mem_alloc((json_array_size(tags) + 1) * sizeof *all);
    i->tags = all;
    for (size_t k = 0; k < json_array_size(tags); k++) {
        if (!json_is_string(json_array_get(tags, k)))
            return false;
        all[i->tag_count++] = text_of_json(json_array_get(tags, k));
    }
    return true;
}

static bool item_read(item *i, json_t *from)
{
    json_t *name, *category, *tags;
    json_int_t id, price, quantity, score, rated;
    int active;
    if (json_unpack(from, "{s:I, s:o, s:o, s:I, s:I, s:b, s:o, s:{s:I, s:I}}", "id", &id, "name", &name, "category", &category,
                    "price", &price, "quantity", &quantity, "active", &active, "tags", &tags, "rating", "score", &score,
                    "count", &rated) || !json_is_string(name) || !json_is_string(category))
        return false;
    *i = (item){ .id = id, .price = price, .quantity = quantity, .score = score, .count = rated, .active = active,
                 .name = text_of_json(name), .category = text_of_json(category) };
    return item_has_tags(i, tags);
}

int dataset_open(const char *path, char *why, size_t size)
{
    json_error_t error;
    parsed = strcmp(path, "built-in") == 0 ? json_loads(dataset_json, 0, &error) : json_load_file(path, 0, &error);
    if (!parsed) {
        snprintf(why, size, "[boards] dataset: %s: line %d: %s", path, error.line, error.text);
        return UV_EINVAL;
    }
    items = mem_alloc((json_array_size(parsed) + 1) * sizeof *items);
    for (size_t k = 0; k < json_array_size(parsed); k++)
        if (!item_read(&items[count++], json_array_get(parsed, k))) {
            snprintf(why, size, "[boards] dataset: %s: item %d lacks a member, or has one of another type", path, count);
            return UV_EINVAL;
        }
    if (count == 0) {
        snprintf(why, size, "[boards] dataset: %s has no items", path);
        return UV_EINVAL;
    }
    return 0;
}

void dataset_close(void)
{
    for (int i = 0; i < count; i++)
        mem_free((void *)items[i].tags);
    mem_free(items);
    json_decref(parsed);
    parsed = NULL;
    items = NULL;
    count = 0;
}

const item *dataset_items(void) { return items; }
int         dataset_count(void) { return count; }
