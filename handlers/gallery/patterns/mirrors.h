/* mirrors.h - other servers to ask for a page: this one plays some of them, and nobody the others.
 *
 *     mirror m[MIRRORS];
 *     mirrors_set_up(r, m, true);
 *     err = await(mirror_fetch(&m[2])); */
#ifndef MIRRORS_H
#define MIRRORS_H

#include "pattern.h"
#include "server/http/client/client.h"

enum { MIRROR_DOWN, MIRROR_EMPTY, MIRROR_GOOD, MIRROR_SLOW, MIRRORS };

typedef struct mirror {
    run        *r;
    const char *name;                        /* what it is like */
    const char *address;
    http_answer got;
} mirror;

/* One refuses, and one has no such page. Of the other two one answers in 30 ms, and one in half a second; unless none is
 * good, for then they are like the first two. */
void mirrors_set_up(run *r, mirror m[MIRRORS], bool good);

#endif
