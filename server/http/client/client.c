/* client.c - see client.h, and transfer.h for how it works. */
#include "server/http/message/head.h"
#include "transfer.h"
#include "server/async/loop.h"

#include <strings.h>
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
    return loop_here() ? client_loop_fetch(&t) : promise_settled(client_plain_fetch(&t));
}

promise *http_get(arena *a, const char *url, http_answer *out)
{
    return http_fetch(a, &(http_call){ .url = url }, out);
}

promise *http_post(arena *a, const char *url, const char *type, text body, http_answer *out)
{
    return http_fetch(a, &(http_call){ .method = "POST", .url = url, .type = type, .body = body }, out);
}

text http_answer_header(const http_answer *got, const char *name)
{
    const size_t length = strlen(name);
    const char *at = got->head.at, *const end = at + got->head.length;
    for (const char *next; (next = memchr(at, '\n', (size_t)(end - at))); at = next + 1)
        if ((size_t)(next - at) > length && at[length] == ':' && strncasecmp(at, name, length) == 0)
            return text_trim((text){ at + length + 1, (size_t)(next - at) - length - 1 - (next[-1] == '\r') });
    return TEXT("");
}

void http_client_retire(void)
{
    if (loop_here())
        client_loop_retire();
    else
        client_plain_retire();
}

void http_client_done(void) { client_plain_done(); }
