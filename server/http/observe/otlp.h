/* otlp.h - spans in the words of OpenTelemetry: OTLP as JSON, with the attributes of its semantic conventions.
 *
 *     request   SERVER     http.request.method, http.route, http.response.status_code, url.path ...
 *       query   CLIENT     db.system.name, db.query.summary: its statement's name
 *       job     INTERNAL   of an executor of the thread pool, or of a worker process
 *       wait    INTERNAL   to be admitted
 *       call    CLIENT     to another server: http.request.method, url.full, http.response.status_code; its id is the parent that
 *                          the other server was told
 *
 * A query or job that waited for its turn says how long: tenk.waited_ms. An error is error.type and the status ERROR.
 *
 *   Source.  opentelemetry.io/docs/specs/otlp/ ("JSON Protobuf Encoding"), .../docs/specs/semconv/http/http-spans/ and
 *            .../db/database-spans/ */
#ifndef OTLP_H
#define OTLP_H

#include "server/base/buffer.h"
#include "server/base/observe/slowest.h"
#include "server/http/identity.h"

typedef struct otlp_request {
    const identity     *identity;
    const slow_request *did;                 /* its spans; NULL: nothing is known of them */
    uint64_t            since, end;          /* nanoseconds since 1970 */
    uint64_t            ended;               /* uv_hrtime at the end */
    text                name, route;         /* "GET /users/:id", "/users/:id"; route "": there is none */
    text                method, path, query, client, agent;  /* "" for what is not known */
    int                 minor, status;       /* status 0: its client had gone */
    uint64_t            bytes;
} otlp_request;

/* Writes its spans, one behind the other with commas between: how many. */
int  otlp_write(buffer *b, const otlp_request *r, const char *database);     /* "postgresql" or "sqlite" */

/* What is before them and behind them in a message. */
void otlp_write_head(buffer *b, text service);
void otlp_write_tail(buffer *b);

#endif
