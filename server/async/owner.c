/* owner.c - see owner.h. */
#include "owner.h"
#include "forgotten.h"

_Thread_local owner *owner_entered;
_Thread_local owner  owner_thread = { .name = "main" };

void owner_report(owner *o)
{
    while (o->first) {
        const promise_origin from = promise_origin_of(o->first);
        promise_abandon(o->first);
        forgotten_note(&from, o->name);
    }
}
