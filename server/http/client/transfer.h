/* transfer.h - one request of the client (client.h), as libcurl carries it out.
 *
 *     http_fetch -> wait queue: a semaphore     -> transfer, on the loop's connections     client_loop.c
 *                -> wait queue: a resource pool -> transfer, on those of an acquired slot  client_blocking.c
 *
 * The file that has the CURLM drives a transfer, which knows nothing of waiting.
 *
 *   Looking up.  libcurl asks for a host's name in a thread of its own, which cannot be interrupted. A
 *                transfer that is cancelled meanwhile is abandoned rather than removed: it keeps its connection's
 *                slot until the thread has ended, so that there are never more of them than connections. */
#ifndef HTTP_TRANSFER_H
#define HTTP_TRANSFER_H

#include "call.h"
#include "outgoing_call.h"
#include "server/async/promise.h"
#include "server/base/buffer.h"

#include <curl/curl.h>
#include <stdbool.h>

typedef struct transfer {
    http_call          call;
    arena             *arena;
    http_answer       *out;
    uint64_t           timeout_ms;           /* of all */
    size_t             most;                 /* bytes of the body */
    CURL              *easy;                 /* while it runs */
    struct curl_slist *headers;
    outgoing_call      traced;               /* for whom it is made */
    buffer             head, body;
    bool               head_done;
    bool               looking_up;
    bool               abandoned;            /* its caller has been told that it was cancelled */
    int                no_socket;            /* why the kernel gave none; or 0 */
    int                refusal;              /* why it was stopped by us: UV_E2BIG, or 0 */
    char               words[CURL_ERROR_SIZE];
} transfer;

extern http_client_options client_settings;

void transfer_start(void);                   /* once in the process, before the first */

/* 0, or UV_EINVAL. */
int transfer_init(transfer *t, arena *a, const http_call *call, http_answer *out);

/* Makes easy, which is new or has been reset, ready for a CURLM. It has so many milliseconds left. */
void transfer_begin(transfer *t, CURL *easy, uint64_t left_ms);

/* Of one that is looking up: from now on it touches nothing of its caller's, and connects no more. */
void transfer_abandon(transfer *t);

/* After it has been taken out of the CURLM, with libcurl's outcome: 0 and *out is set, or an error.
 * Takes easy, and returns it for the next one, or NULL. */
int   transfer_outcome(transfer *t, CURLcode code);
CURL *transfer_end(transfer *t, int err);

/* Its caller is told of that error, or of the answer: so is its trace. */
void transfer_told(const transfer *t, int err);

/* It has ended so, and is counted: asked for since then, and begun at that time; 0: never (uv_hrtime). */
void transfer_count(const transfer *t, uint64_t since, uint64_t begun, int err);

/* The two ways to wait. t has been inited; it is copied. */
MUST_AWAIT promise *client_loop_fetch(const transfer *t);
void client_loop_retire(void);
int  client_blocking_fetch(transfer *t);
void client_blocking_retire(void);
void client_blocking_done(void);

#endif
