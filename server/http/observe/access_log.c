/* access_log.c - see access_log.h. */
#include "access_log.h"
#include "server/base/log_writer.h"
#include "server/base/memory.h"
#include "server/base/observe/recorder.h"
#include "server/http/identity.h"
#include "server/http/request.h"

#include <stdio.h>
#include <string.h>
#include <uv.h>

_Atomic(access_line *) access_line_here;

static char *place_now;                      /* where lines go; NULL: nowhere */

int access_log_prepare(access_log_next *n, access_format format, const char *where, char *why, size_t size)
{
    static access_line *const LINES[] = { [ACCESS_COMBINED] = access_line_combined, [ACCESS_JSON] = access_line_json };
    *n = (access_log_next){ .to.fd = -1 };
    if (format == ACCESS_OFF) {
        n->moves = place_now;
        return 0;
    }
    n->moves = !place_now || strcmp(place_now, where) != 0;
    int err = log_writer_prepare(LOG_ACCESS);
    if (!err && n->moves)
        err = outlet_target_open(&n->to, where);
    if (err) {
        snprintf(why, size, "[log] access_to: cannot write to %s: %s", where,
                 err == UV_EINVAL ? "the path of a file has a / in it, as in ./access.log" : uv_strerror(err));
        return err;
    }
    n->line = LINES[format];
    n->where = mem_copy(where);
    return 0;
}

/* Off before its place goes, and on when there is one: so a line is lost only if there is to be none. */
void access_log_use(access_log_next *n)
{
    if (!n->line)
        atomic_store(&access_line_here, NULL);
    if (n->moves)
        log_writer_redirect(LOG_ACCESS, &n->to);
    if (n->line)
        atomic_store(&access_line_here, n->line);
    mem_free(place_now);
    place_now = n->where;
}

void access_log_forget(access_log_next *n)
{
    outlet_target_close(&n->to);
    mem_free(n->where);
}

uint64_t access_log_dropped(void) { return log_writer_dropped(LOG_ACCESS); }

static void access_take_headers(accessed *a, const char *at, const header headers[], int count)
{
    trace_context t;
    for (int i = 0; i < count; i++) {
        const text name = header_name(at, headers[i]), value = header_value(at, headers[i]);
        switch (name.length) {
        case sizeof "referer" - 1:
            if (text_is(name, "referer"))
                a->referer = value;
            break;
        case sizeof "user-agent" - 1:
            if (text_is(name, "user-agent"))
                a->user_agent = value;
            break;
        case sizeof "traceparent" - 1:
            if (a->trace_id.length == 0 && text_is(name, "traceparent") && trace_context_read(&t, value))
                a->trace_id = (text){ value.at + 3, TRACE_ID };
            break;
        case sizeof "x-request-id" - 1:
            if (a->request_id.length == 0 && text_is(name, "x-request-id") && request_id_is_fit(value))
                a->request_id = value;
        }
    }
}

static inline void access_log_write(accessed *a)
{
    char line[ACCESS_LINE];
    access_line *const write = atomic_load_explicit(&access_line_here, memory_order_acquire);
    if (!write)
        return;                              /* it was turned off just now */
    clock_gettime(CLOCK_REALTIME_COARSE, &a->when);
    log_writer_put(LOG_ACCESS, line, write(a, line), false);
}

/* Nothing else is known of it yet. One by one: to clear all of it at once takes longer. */
static inline void accessed_init(accessed *a, text client, int status)
{
    a->client = client;
    a->status = status;
    a->route = a->request_id = a->trace_id = a->method = a->path = a->query = a->referer = a->user_agent = TEXT("");
    a->bytes = a->took = 0;
    a->minor = 0;
    a->aborted = false;
}

/* What goes by its head, if that was understood. */
static void access_take_request(accessed *a, const request *req)
{
    const uint64_t now = recorder_ns(recorder_clock());
    a->path = request_path(req);
    if (a->path.length > 0) {                /* else its head was given up, when nobody wanted to know */
        a->method = text_of(llhttp_method_name((llhttp_method_t)req->method));
        a->query = request_query_string(req);
    }
    a->minor = req->minor;
    a->took = now > req->started ? now - req->started : 1;
    if (req->route)
        a->route = text_of(label_name(req->scope.label));
    access_take_headers(a, request_head(req), request_headers(req), req->header_count);
}

void access_log_request(request *req, text client)
{
    enum { CLIENT_CLOSED_REQUEST = 499 };
    accessed a;
    accessed_init(&a, client, req->status ? req->status : CLIENT_CLOSED_REQUEST);
    a.aborted = req->gone || !req->status;   /* its connection is gone, too, if it broke off */
    a.bytes = request_bytes_sent(req);
    if (req->identified && req->identity->request.length > 0)
        a.request_id = req->identity->request;
    if (req->identified && req->identity->traced)
        a.trace_id = (text){ req->identity->trace.trace, TRACE_ID };
    if (req->started)
        access_take_request(&a, req);
    access_log_write(&a);
}

void access_log_refusal(const head *h, const char *route, text client, int status)
{
    accessed a;
    accessed_init(&a, client, status);
    if (h) {
        a.method = text_of(llhttp_method_name((llhttp_method_t)h->method));
        a.path = h->path;
        a.query = h->query;
        a.minor = h->minor;
        a.route = text_of(route);
        access_take_headers(&a, h->at, h->headers, h->count);
    }
    access_log_write(&a);
}
