/* usual.c - see usual.h. */
#include "usual.h"

static unsigned place_of(const statement *s) { return (unsigned)((uintptr_t)s / sizeof *s % SQLITE_USUALS); }

uint64_t sqlite_usual_of(const sqlite_usual *u, const statement *s)
{
    const unsigned i = place_of(s);
    return u->of[i].statement == s ? u->of[i].took : 0;
}

void sqlite_usual_learn(sqlite_usual *u, const statement *s, uint64_t took)
{
    const uint64_t before = sqlite_usual_of(u, s);
    const unsigned i = place_of(s);
    u->of[i].statement = s;
    u->of[i].took = before ? (before * 7 + took) / 8 : took;
}
