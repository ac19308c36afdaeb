/* chain.h - one step after another, and what becomes of their errors.
 *
 *     p = then(query(req, &rows, ...), render, &page);
 *     p = then(p, send, &page);
 *     p = catch(p, apologize, &page);          one handler for all that came before it
 *     p = finally(p, put_away, &page);
 *
 * Each takes a promise and makes the next one, which settles when its own step has. A step that
 * returns a promise that has already settled, costs no turn of its own. Cancelling a chain cancels the
 * step under way, and what has not begun does not begin, but for what finally is there for. */
#ifndef CHAIN_H
#define CHAIN_H

#include "promise.h"

/* When p succeeds, next(arg) starts the following step, and the result settles as that step does.
 * When p fails, next is skipped and the error passes through. Takes p. */
MUST_AWAIT promise *then(promise *p, promise *(*next)(void *arg), void *arg);

/* When p fails, handle(err, arg) starts what is to be done about it, and the result settles as that
 * does: with 0 the chain goes on as if nothing had happened. When p succeeds, handle is skipped; so it
 * is when the chain was cancelled: then the error passes through. Takes p. */
MUST_AWAIT promise *catch(promise *p, promise *(*handle)(int err, void *arg), void *arg);

/* Whatever becomes of p, tidy(arg) starts when it has settled, and the result settles when that has:
 * as p did, or with tidy's error if p had none. Cancelling it once it has begun does nothing. Takes p. */
MUST_AWAIT promise *finally(promise *p, promise *(*tidy)(void *arg), void *arg);

#endif
