/* items.c - see items.h. */
#include "items.h"

#include "tests/scenarios/scenarios.h"

void expect_item(const json_t *i)
{
    const json_t *rating = json_object_get(i, "rating");
    ck_assert(json_is_integer(json_object_get(i, "id")) && json_is_string(json_object_get(i, "name")) &&
              json_is_string(json_object_get(i, "category")) && json_is_integer(json_object_get(i, "price")) &&
              json_is_integer(json_object_get(i, "quantity")) && json_is_boolean(json_object_get(i, "active")) &&
              json_is_array(json_object_get(i, "tags")) && json_is_integer(json_object_get(rating, "score")) &&
              json_is_integer(json_object_get(rating, "count")));
}

json_t *items_in(answer a, size_t count, const char *called)
{
    json_t *whole = json_in(a, 200);
    const json_t *items = json_object_get(whole, "items");
    ck_assert_uint_eq(json_array_size(items), count);
    ck_assert_int_eq(number_of(whole, called), (json_int_t)count);
    for (size_t i = 0; i < count; i++)
        expect_item(json_array_get(items, i));
    return whole;
}
