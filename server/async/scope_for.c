/* scope_for.c - see scope_for.h. */
#include "scope_for.h"
#include "server/base/memory.h"

static _Thread_local scope **numbered;       /* by number, the last one that was given it; NULL before the first */
static _Thread_local scope  *served;

void scope_for_begin(scope *s)
{
    if (!numbered)
        numbered = mem_alloc(RECORD_REQUESTS * sizeof(scope *));
    numbered[s->request] = s;
}

void scope_for_end(const scope *s)
{
    if (numbered && numbered[s->request] == s)
        numbered[s->request] = NULL;
}

void scope_for_done(void)
{
    mem_free(numbered);
    numbered = NULL;
}

void scope_for_all(scope *s) { served = s; }

scope *scope_for_number(uint16_t number, uint32_t since)
{
    if (served || !numbered || !number)
        return served;
    scope *const s = numbered[number];
    return s && (int32_t)(since - s->since) >= 0 ? s : NULL;
}

/* What follows a promise whose scope has ended runs for the thread itself, of which it is not known since when. */
scope *scope_for(void)
{
    scope *const s = scope_here();
    if (s->at_once)
        return s;
    return scope_for_number(s == &scope_thread ? 0 : s->request, s->since);
}
