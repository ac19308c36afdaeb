/* item_cache.h - items that were read a moment ago, for all workers: 200 ms, as HttpArena has it.
 *
 * Each id has a place, which it shares with others; the last one stays. So it is bounded, and never full. What was read
 * while somebody changed it is not kept: who does not find an item gets a ticket, which is void once it is forgotten. */
#ifndef ITEM_CACHE_H
#define ITEM_CACHE_H

#include "item.h"

typedef uint64_t item_ticket;

#define ITEM_CACHE_LIFETIME 200000000ull     /* nanoseconds; now is of uv_hrtime's clock */

/* True: *found is a copy, whose texts are the arena's. Else *ticket is for item_cache_keep, after it has been read. */
bool item_cache_find(int64_t id, uint64_t now, arena *a, item *found, item_ticket *ticket);
void item_cache_keep(const item *i, uint64_t now, item_ticket ticket);       /* a copy, of one that comes from a database */
void item_cache_forget(int64_t id);          /* after it may have been changed, whatever came of that */

#endif
