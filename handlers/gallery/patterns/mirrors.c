/* mirrors.c - see mirrors.h. */
#include "mirrors.h"

void mirrors_set_up(run *r, mirror m[MIRRORS], bool good)
{
    static const char REFUSING[] = "http://127.0.0.1:1/";    /* by this port nobody serves */
    const char *missing = own_address(r, "/no/such/page");
    m[MIRROR_DOWN]  = (mirror){ r, "refuses", REFUSING };
    m[MIRROR_EMPTY] = (mirror){ r, "has no such page", missing };
    m[MIRROR_GOOD]  = good ? (mirror){ r, "answers in 30 ms", own_address(r, "/sleep?ms=30") }
                           : (mirror){ r, "has no such page", missing };
    m[MIRROR_SLOW]  = good ? (mirror){ r, "answers in 500 ms", own_address(r, "/sleep?ms=500") }
                           : (mirror){ r, "refuses", REFUSING };
}
