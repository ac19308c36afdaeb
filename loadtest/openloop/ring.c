/* ring.c - the room of a ring. */
#include "ring.h"

#include "fail.h"

#include <stdlib.h>

void ring_init(ring *r, uint32_t at_least)
{
    *r = (ring){ .room = 1 };
    while (r->room < at_least)
        r->room *= 2;
    r->all = malloc(r->room * sizeof *r->all);
    if (!r->all)
        fail("no memory");
}
