/* access_log.c - see access_log.h. */
#include "access_log.h"
#include "server/base/log_writer.h"
#include "server/base/observe/recorder.h"
#include "server/http/identity.h"
#include "server/http/request.h"

access_line *access_line_here;

int access_log_open(access_format format, const char *where)
{
    static access_line *const LINES[] = { [ACCESS_COMBINED] = access_line_combined, [ACCESS_JSON] = access_line_json };
    if (format == ACCESS_OFF)
        return 0;
    const int err = log_writer_open(LOG_ACCESS, where);
    if (!err)
        access_line_here = LINES[format];
    return err;
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
    clock_gettime(CLOCK_REALTIME_COARSE, &a->when);
    log_writer_put(LOG_ACCESS, line, access_line_here(a, line), false);
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
    a->method = text_of(llhttp_method_name((llhttp_method_t)req->method));
    a->path = request_path(req);
    a->query = request_query_string(req);
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
    a.aborted = req->gone || !req->status || req->left > 0;
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
