/* request.h - what a handler sees of the server: one request, and ways to answer it.
 *
 * A handler (route.h) starts when all of the request is there; on a route that streams, when the head is, and then
 * it pulls the body, which may have any size:
 *
 *     while (!(err = request_read(req, &piece)))
 *         use(piece);
 *     if (err != UV_EOF)
 *         return err;
 *
 *   Ownership.  The request belongs to its connection. Everything reached through it, and everything
 *               from its arena, lives until it has been answered and its handler has ended.
 *   Clients that go away.  Their request's task or promise is cancelled; answering is then a no-op.
 *   Time.       A request has a deadline, until its answer begins: [timeouts] request after it has come, or what its
 *               route says instead.
 *               Then what its task awaits is cancelled, and await returns UV_ETIMEDOUT; its promise is
 *               cancelled. A callback handler cannot be cancelled: what it waits for must end by itself.
 *               A handler that then fails is answered with 504. A body that streams may take any time, and
 *               its request has no deadline. */
#ifndef HTTP_REQUEST_H
#define HTTP_REQUEST_H

#include "server/base/arena.h"
#include "server/base/deadline.h"
#include "server/base/text.h"
#include "server/http/message/status.h"
#include "route.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The request. Texts are views into it; "" stands for what is not there. */
text request_method(const request *req);
text request_path(const request *req);                       /* as sent, without the query */
text request_header(const request *req, const char *name);   /* the first of that name, which is in lower case */
text request_list(request *req, const char *name);           /* all of that name, as one list (RFC 9110, 5.3) */
text request_type(const request *req);                       /* of its body: Content-Type without parameters */
text request_body(const request *req);                       /* all of it; of a route that streams: nothing */
text request_param(request *req, const char *name);          /* ":name" in the route, or "*"; decoded */
text request_query(request *req, const char *name);          /* ?name=...; decoded */
bool request_has_query(request *req, const char *name);
int  request_param_int(request *req, const char *name, int64_t *value);      /* E_BAD_REQUEST if no whole number */
int  request_query_int(request *req, const char *name, int64_t *value);      /* the same; *value stays if it is not there */
int  request_body_int(const request *req, int64_t *value);   /* of a body that is one, but for blanks around it */
bool request_prefers_json(request *req);                     /* by Accept: rather than HTML, which wins a tie */

/* Who asks, and how: behind proxies whose word counts ([server] trusted_proxies) what they say of it. It is looked up each time;
 * after events_follow and websocket_accept, which forget the head, only what is known of the connection is there. */
text request_client_address(request *req);                   /* "192.0.2.1", "2001:db8::1"; "unix:": no more is known; or "" */
text request_scheme(const request *req);                     /* "http"; "https", if a proxy says so */
text request_authority(const request *req);                  /* "example.org", "example.org:8080": its Host; may be "" */

uint64_t request_started(const request *req);                /* uv_hrtime when its head was complete */
uint64_t request_waited(const request *req);                 /* nanoseconds until it was admitted; at most 6.5 s */

/* Of deadline.h; NO_DEADLINE once it has been answered. A handler that knows better, like one whose
 * request is long in coming, gives it another. */
uint64_t request_deadline(const request *req);
void     request_set_deadline(request *req, uint64_t deadline);

void **request_context(request *req);                        /* the site's own; NULL at first */
arena *request_arena(request *req);
void  *request_alloc(request *req, size_t size);             /* zeroed */

/* The next piece of the body, which is valid until the next call; never an empty one. UV_EOF at its end.
 * HTTP_STATUS(400): its framing is bad, or the client stopped before the end; 408: it was too slow;
 * 431; UV_ESHUTDOWN: the server stops, and waits no longer for the rest; UV_ECANCELED: the client is
 * gone. What the handler does not read is not waited for: the connection ends with the answer. While
 * the handler does not read, the client is not read from, and not timed. In a function that may pause. */
int request_read(request *req, text *piece);

/* The answer: headers first, then one respond(). All of it is copied. They return 0, or UV_EALREADY
 * when the request has been answered before, or REFUSED_MEMORY if there is none for a large body: it has not,
 * then. What holds for every page (policy.h) is added. Control characters in a header become spaces; type, which
 * may be NULL, must have none. 204 and 304 have no body, whatever is given; HEAD gets the head alone. */
void respond_header(request *req, const char *name, const char *format, ...) __attribute__((format(printf, 3, 4)));
int  respond(request *req, int status, const char *type, text body);
int  respond_nothing(request *req, int status);              /* 204, 303, 304: no body */

/* An error, as application/problem+json (RFC 9457), or HTML for those who prefer it. Returns
 * HTTP_STATUS(status), for the handler to return: a failure that has been answered. */
int  respond_problem(request *req, int status, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* A long answer in pieces: respond_begin with the length of all, then pieces, each awaited, until
 * that length is reached. The promise settles when there is room for the next piece, and
 * fails with UV_ECANCELED when the client is gone. A handler that stops early breaks the connection. */
int  respond_begin(request *req, int status, const char *type, uint64_t length);
MUST_AWAIT promise *respond_piece(request *req, text piece);

/* The same of a length that nobody knows yet: respond_stream, then pieces, each awaited, then respond_end. HTTP/1.1 has it
 * in chunks, one of each piece that is not empty (RFC 9112, 7.1); to HTTP/1.0 the end of the connection is the end of
 * the answer. A handler that returns without respond_end, for whatever reason, breaks the connection: without the last
 * chunk or, of HTTP/1.0, by a reset, so that the client sees that it does not have all. For HEAD and for a status without
 * a body pieces are dropped, and need not be made. */
int  respond_stream(request *req, int status, const char *type);
void respond_end(request *req);              /* no pieces after it; of an answer that is no stream, or has ended: no-op */

/* How large the next piece may well be, below most: less while there are many slow readers, for whose pieces
 * together there is only so much room ([limits] outputs). */
size_t respond_piece_size(const request *req, size_t most);

#endif
