/* client.c - see client.h, and transfer.h for how it works. */
#include "client.h"
#include "transfer.h"
#include "server/async/loop.h"

#include <uv.h>

void http_client_configure(const http_client_options *o) { client_settings = *o; }

promise *http_fetch(arena *a, const http_call *call, http_answer *out)
{
    static uv_once_t once = UV_ONCE_INIT;
    transfer t;
    const int err = transfer_init(&t, a, call, out);
    if (err)
        return promise_settled(err);
    uv_once(&once, transfer_start);
    return loop_here() ? client_loop_fetch(&t) : promise_settled(client_blocking_fetch(&t));
}

promise *http_get(arena *a, const char *url, http_answer *out)
{
    return http_fetch(a, &(http_call){ .url = url }, out);
}

promise *http_post(arena *a, const char *url, const char *type, text body, http_answer *out)
{
    return http_fetch(a, &(http_call){ .method = "POST", .url = url, .type = type, .body = body }, out);
}

void http_client_retire(void)
{
    if (loop_here())
        client_loop_retire();
    else
        client_blocking_retire();
}

void http_client_done(void) { client_blocking_done(); }
