/* items.h - answers that are items of HttpArena's. */
#ifndef TESTS_ITEMS_H
#define TESTS_ITEMS_H

#include "json.h"

void expect_item(const json_t *i);           /* it has all members, of their types */

/* An answer with so many items, which says so in the member that is called so; the caller's, to json_decref. */
json_t *items_in(answer a, size_t count, const char *called);

#endif
