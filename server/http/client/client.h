/* client.h - asking other servers by HTTP: requests as promises, over libcurl.
 *
 *     http_answer got;
 *     err = await(http_get(request_arena(req), "http://10.0.0.7:9000/prices", &got));
 *     if (err)
 *         return err;
 *     ... got.status, got.type, got.body
 *
 *   Whom.       Only servers that the program itself names, never an address that a visitor gave: tenk
 *               stands where visitors do not, and would reach for them what they must not. An address
 *               is a terminated string, which nothing of a request is; what comes from a request becomes
 *               a part of one by url_encode (url.h):
 *                   arena_printf(a, "%s/users/%s", base, url_encode(a, name))
 *               For the same reason redirections are not followed, they are answers, and no proxy is
 *               taken from the environment.
 *   For whom.   A request for which this is done: the other server gets its trace, with a span of its own (traceparent and
 *               tracestate, identity.h), unless the call has a traceparent.
 *   Bounds.     [outgoing]: so many at once, in the wait queue, and in bytes, and for so long. Each loop has a
 *               wait queue of its own; all blocking threads have one together.
 *   Ownership.  The arena, what the call points to, and *out must outlive the promise; once it has
 *               settled, nothing here touches them. The answer is in the arena.
 *   Modes.      In a task the promise settles later; in a blocking thread it has already settled, and the
 *               thread's client, by leaving, has cancelled it (blocking_wait.h).
 *   Again.      A GET on a connection that the server was just closing goes again on a new one; a POST
 *               or PATCH is never sent twice. After UV_ETIMEDOUT, UV_ECONNRESET or UV_ECANCELED it may
 *               have happened all the same.
 *   Errors.     Any status is an answer, 500 too. An error is that there is none; libcurl's words for it
 *               are in the log, at debug.
 *               UV_EINVAL        no address of http:// or https://; a method or header that is malformed
 *               REFUSED_OUTGOING_LINE, _WAIT (refusal.h)   as many are under way as may be, and the wait queue is
 *                                full, or it has waited there too long: try later
 *               UV_ETIMEDOUT     not in time, that in the wait queue included
 *               UV_ECANCELED     cancelled; the connection has been closed
 *               UV_EAI_NONAME    there is no such host
 *               UV_ECONNREFUSED  and other words of the kernel: it could not be reached
 *               UV_ECONNRESET    the connection ended before the answer did
 *               UV_EPROTO        what came is not HTTP, or not TLS that can be trusted
 *               UV_E2BIG         the answer is larger than it may be */
#ifndef HTTP_CLIENT_H
#define HTTP_CLIENT_H

#include "server/base/arena.h"
#include "server/async/promise.h"
#include "call.h"

MUST_AWAIT promise *http_fetch(arena *a, const http_call *call, http_answer *out);
MUST_AWAIT promise *http_get(arena *a, const char *url, http_answer *out);
MUST_AWAIT promise *http_post(arena *a, const char *url, const char *type, text body, http_answer *out);

/* Before the first use, and before any other thread starts. */
void http_client_configure(const http_client_options *o);

/* The server stops: connections that no request uses are closed, and from now on each when none does, for the other
 * server may be one that waits for us to leave; requests are made as before. On a loop's thread: its own; on a blocking
 * thread: those of all blocking threads. */
void http_client_retire(void);

/* On a loop's thread, before timer_end: cancels what is left, refuses what comes, with UV_ECANCELED,
 * and settles when all is drained and closed. */
MUST_AWAIT promise *http_client_close(void);
void http_client_done(void);                 /* of the process, when no thread uses it any more */

#endif
