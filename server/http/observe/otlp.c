/* otlp.c - see otlp.h. */
#include "otlp.h"
#include "server/http/message/random_id.h"
#include "server/base/utf8.h"

#include <stdio.h>
#include <unistd.h>

#include <uv.h>

enum { KIND_INTERNAL = 1, KIND_SERVER = 2, KIND_CLIENT = 3, STATUS_ERROR = 2 };

/* A string of JSON; of what is not UTF-8 each byte is U+FFFD. */
static void otlp_string(buffer *b, text t)
{
    if (utf8_is(t.at, t.length)) {
        buffer_json(b, t);
        return;
    }
    char *const clean = arena_room(b->arena, 3 * t.length), *to = clean;
    for (size_t i = 0, n; i < t.length; i += n ? n : 1) {
        n = utf8_length(t.at + i);
        to = n ? mempcpy(to, t.at + i, n) : mempcpy(to, "\xef\xbf\xbd", 3);
    }
    buffer_json(b, (text){ clean, (size_t)(to - clean) });
}

/* An attribute; nothing if there is no value. They are all behind another member. */
static void otlp_text(buffer *b, const char **comma, const char *key, text value)
{
    if (value.length == 0)
        return;
    buffer_printf(b, "%s{\"key\":\"%s\",\"value\":{\"stringValue\":", *comma, key);
    otlp_string(b, value);
    buffer_text(b, TEXT("}}"));
    *comma = ",";
}

static void otlp_int(buffer *b, const char **comma, const char *key, int64_t value)
{
    buffer_printf(b, "%s{\"key\":\"%s\",\"value\":{\"intValue\":\"%lld\"}}", *comma, key, (long long)value);
    *comma = ",";
}

/* A span as far as its attributes. parent "": it has none. */
static void otlp_begin(buffer *b, const identity *i, const char span[SPAN_ID], const char *parent, text name, int kind,
                       uint64_t since, uint64_t end)
{
    buffer_printf(b, "{\"traceId\":\"%.*s\",\"spanId\":\"%.*s\",", TRACE_ID, i->trace.trace, SPAN_ID, span);
    if (*parent)
        buffer_printf(b, "\"parentSpanId\":\"%.*s\",", SPAN_ID, parent);
    if (i->state.length > 0) {
        buffer_text(b, TEXT("\"traceState\":"));
        buffer_json(b, i->state);
        buffer_text(b, TEXT(","));
    }
    buffer_text(b, TEXT("\"name\":"));
    otlp_string(b, name);
    buffer_printf(b, ",\"kind\":%d,\"startTimeUnixNano\":\"%llu\",\"endTimeUnixNano\":\"%llu\",\"attributes\":[", kind,
                  (unsigned long long)since, (unsigned long long)(end > since ? end : since));
}

static void otlp_end(buffer *b, const char **comma, const char *error)
{
    if (error)
        otlp_text(b, comma, "error.type", text_of(error));
    buffer_printf(b, error ? "],\"status\":{\"code\":%d}}" : "]}", STATUS_ERROR);
}

static const char *error_name(int err, char room[32])
{
    return err < 0 ? uv_err_name_r(err, room, 32) : NULL;
}

static void otlp_write_request(buffer *b, const otlp_request *r)
{
    const char *comma = "";
    char status[16];
    otlp_begin(b, r->identity, r->identity->span, r->identity->trace.parent, r->name, KIND_SERVER, r->since, r->end);
    otlp_text(b, &comma, "http.request.method", r->method);
    otlp_text(b, &comma, "http.route", r->route);
    otlp_text(b, &comma, "url.path", r->path);
    otlp_text(b, &comma, "url.query", r->query);
    otlp_text(b, &comma, "url.scheme", TEXT("http"));
    otlp_text(b, &comma, "network.protocol.version", r->minor ? TEXT("1.1") : TEXT("1.0"));
    otlp_text(b, &comma, "client.address", r->client);
    otlp_text(b, &comma, "user_agent.original", r->agent);
    otlp_int(b, &comma, "http.response.body.size", (int64_t)r->bytes);
    if (r->status)
        otlp_int(b, &comma, "http.response.status_code", r->status);
    snprintf(status, sizeof status, "%d", r->status);
    otlp_end(b, &comma, r->status >= 500 ? status : r->status ? NULL : "client_gone");
}

/* What was done for it, by the recorder: false if it is none of what is told. */
static bool otlp_write_done(buffer *b, const otlp_request *r, const record *e, const char *database)
{
    const char *comma = "";
    char span[SPAN_ID], error[32];
    const bool query = e->kind == RECORD_QUERY;
    if (!query && e->kind != RECORD_JOB && e->kind != RECORD_LINE)
        return false;
    const text what = text_of(record_what(e) ? record_what(e) : "");
    const char *const before = query ? "" : e->kind == RECORD_JOB ? "job: " : "wait for ";
    random_hex(span, SPAN_ID);
    buffer_text(b, TEXT(","));
    const char *const name = arena_printf(b->arena, "%s%.*s", before, (int)what.length, what.at);
    otlp_begin(b, r->identity, span, r->identity->span, text_of(name),
               query ? KIND_CLIENT : KIND_INTERNAL, r->since + e->since, r->since + e->end);
    if (query) {
        otlp_text(b, &comma, "db.system.name", text_of(database));
        otlp_text(b, &comma, "db.query.summary", what);
    } else if (e->kind == RECORD_JOB) {
        otlp_text(b, &comma, "tenk.executor", what);
    }
    if (e->lane && e->kind != RECORD_LINE) { /* so many 255ths */
        buffer_printf(b, "%s{\"key\":\"tenk.waited_ms\",\"value\":{\"doubleValue\":%.3f}}", comma,
                      (double)(e->end - e->since) * e->lane / 255 / 1e6);
        comma = ",";
    }
    otlp_end(b, &comma, error_name(e->value, error));
    return true;
}

/* Without user and password. */
static text url_shown(arena *a, const char *url)
{
    const char *const host = strstr(url, "://");
    const size_t authority = host ? 3 + strcspn(host + 3, "/?#") : 0;
    const char *const at = host ? memrchr(host, '@', authority) : NULL;
    return text_of(at ? arena_printf(a, "%.*s%s", (int)(host + 3 - url), url, at + 1) : url);
}

static void otlp_write_call(buffer *b, const otlp_request *r, const outgoing_span *s, uint64_t offset)
{
    const char *comma = "";
    char error[32], status[16];
    const text method = text_of(s->method);
    buffer_text(b, TEXT(","));
    otlp_begin(b, r->identity, s->span, r->identity->span, method, KIND_CLIENT, s->since + offset,
               s->end ? s->end + offset : r->end);
    otlp_text(b, &comma, "http.request.method", method);
    otlp_text(b, &comma, "url.full", url_shown(b->arena, s->url));
    if (s->status > 0)
        otlp_int(b, &comma, "http.response.status_code", s->status);
    snprintf(status, sizeof status, "%d", s->status);
    otlp_end(b, &comma, s->status >= 400 ? status : error_name(s->status, error));
}

int otlp_write(buffer *b, const otlp_request *r, const char *database)
{
    int count = 1;
    otlp_write_request(b, r);
    for (int i = 0; r->did && i < r->did->count; i++)
        count += otlp_write_done(b, r, &r->did->spans[i], database);
    for (const outgoing_span *s = r->identity->calls; s; s = s->next, count++)
        otlp_write_call(b, r, s, r->end - r->ended);
    return count;
}

void otlp_write_head(buffer *b, text service)
{
    const char *comma = "";
    buffer_text(b, TEXT("{\"resourceSpans\":[{\"resource\":{\"attributes\":["));
    otlp_text(b, &comma, "service.name", service);
    otlp_text(b, &comma, "service.version", TEXT(TENK_VERSION));
    otlp_int(b, &comma, "process.pid", getpid());
    buffer_text(b, TEXT("]},\"scopeSpans\":[{\"scope\":{\"name\":\"tenk\",\"version\":\"" TENK_VERSION "\"},\"spans\":["));
}

void otlp_write_tail(buffer *b) { buffer_text(b, TEXT("]}]}]}")); }
