/* scope_for.h - for which request does this thread work now? Its scope, which is a part of it.
 *
 * A scope knows the number of the request that it is for, and hands it on to the tasks and promises made on its behalf
 * (scope.h). Here is whose number that is. It is used again after RECORD_REQUESTS others, while something that an older request
 * began may still run: but no newer one has caused what began before it.
 *
 * Where a thread serves one request at a time, all that runs there is for that one.
 *
 *   Threads.  All of it is about this thread. */
#ifndef SCOPE_FOR_H
#define SCOPE_FOR_H

#include "scope.h"

/* NULL: for none, or that has ended. */
scope *scope_for(void);

/* The same of what has that number, and began then (scope.h, since). */
scope *scope_for_number(uint16_t number, uint32_t since);

void scope_for_begin(scope *s);              /* a request's, which has a number, until the other */
void scope_for_end(const scope *s);          /* no-op of one that has not begun */
void scope_for_done(void);                   /* the thread has no more: frees what it needed */

void scope_for_all(scope *s);                /* the one that is served now; NULL: none is */

#endif
