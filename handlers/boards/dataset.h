/* dataset.h - the items of /json/:count, in memory: read once, from a JSON file of the arena's form or from the one that
 * is built in.
 *
 *     [{"id":1,"name":"..","category":"..","price":328,"quantity":15,"active":true,"tags":["..",..],
 *       "rating":{"score":48,"count":53}}, ...] */
#ifndef DATASET_H
#define DATASET_H

#include "item.h"

/* Before the server serves. path may be "built-in". 0, or UV_EINVAL and why in words for a person. */
int dataset_open(const char *path, char *why, size_t size);
void dataset_close(void);

const item *dataset_items(void);
int         dataset_count(void);

#endif
