/* scope.c - see scope.h. */
#include "scope.h"
#include "server/base/observe/layout.h"
#include "server/base/memory.h"

_Thread_local scope *scope_entered;
_Thread_local scope  scope_thread = { .name = "main" };

static const layout_entry SCOPE_LAYOUT[] LAYOUT_ENTRIES = {
    LAYOUT_SIZE("scope", scope),
    LAYOUT_FIELD("scope.name", scope, name),
    LAYOUT_FIELD("scope.since", scope, since),
    LAYOUT_FIELD("scope.label", scope, label),
};

static _Thread_local pool refs = POOL(scope_ref);

scope_ref *scope_ref_new(scope *s)
{
    s->ref = pool_get(&refs);
    *s->ref = (scope_ref){ .scope = s, .count = 1, .request = s->request };
    return s->ref;
}

void scope_ref_free(scope_ref *r) { pool_put(&refs, r); }
