/* response.c - see request.h: how a handler answers. The head is built in the output itself. */
#include "request.h"
#include "request_internal.h"
#include "identity.h"
#include "policy.h"
#include "server/base/log.h"
#include "server/base/memory.h"
#include "server/base/observe/shard.h"
#include "server/base/overload/refusal.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

static char *response_put(char *at, text t)
{
    if (t.length > 0)
        memcpy(at, t.at, t.length);
    return at + t.length;
}

static text response_headers_so_far(request *req)
{
    const char *const extra = request_answer_so_far(req)->extra;
    return text_of(extra ? extra : "");
}

void respond_header(request *req, const char *name, const char *format, ...)
{
    if (req->status)
        return;
    const text called = text_of(name), before = response_headers_so_far(req);
    char line[256];                          /* a longer value is printed twice */
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    text value = text_of(format);
    if (memchr(value.at, '%', value.length))
        value = (text){ line, (size_t)vsnprintf(line, sizeof line, format, args) };
    char *const all = arena_room(&req->arena, before.length + called.length + value.length + 5), *at = all;
    at = response_put(response_put(response_put(at, before), called), TEXT(": "));
    if (value.at == line && value.length >= sizeof line)
        vsnprintf(at, value.length + 1, format, again);
    else
        response_put(at, value);
    for (char *const end = at + value.length; at < end; at++)
        if (((unsigned char)*at < 0x20 && *at != '\t') || *at == 0x7f)
            *at = ' ';                       /* only the server ends a header */
    *response_put(at, TEXT("\r\n")) = '\0';
    request_answer_so_far(req)->extra = all;
    va_end(again);
    va_end(args);
}

/* RFC 9110, 15.3.5 and 15.4.5: these end with their head, whatever it says. */
static bool status_is_bodiless(int status) { return status == 204 || status == 304; }

#define LENGTH_UNKNOWN UINT64_MAX

/* What every answer of that status and type begins with. */
static char *response_put_prefix(char *at, int status, const char *type, time_t now)
{
    struct tm utc;
    gmtime_r(&now, &utc);
    at = response_put(at, status_line(status));
    at += strftime(at, 80, "Server: tenk\r\nDate: %a, %d %b %Y %H:%M:%S GMT\r\n", &utc);
    if (!type)
        return at;
    at = response_put(at, TEXT("Content-Type: "));
    at = response_put(at, text_of(type));
    return response_put(at, TEXT("\r\n"));
}

enum { PREFIX_MOST = 232, PREFIX_TYPE_MOST = 47 };           /* bytes; of a shorter type */

/* The same, made once a second. */
struct prefix {
    time_t second;                           /* when; 0: never */
    int    status;
    bool   typed, page;                      /* is there a type, and of a page? */
    char   type[PREFIX_TYPE_MOST];
    text   text;
    char   bytes[PREFIX_MOST];
};

/* NULL if the type is too long to be kept. */
static const struct prefix *response_prefix(int status, const char *type, time_t now)
{
    enum { KEPT = 8 };                       /* a site's handlers answer with few at a time */
    static _Thread_local struct prefix kept[KEPT];
    const size_t length = type ? strlen(type) : 0;
    struct prefix *const p = &kept[((unsigned)status + length) % KEPT];

    if (length >= PREFIX_TYPE_MOST)
        return NULL;
    if (p->second == now && p->status == status && p->typed == !!type && (!type || memcmp(p->type, type, length + 1) == 0))
        return p;
    p->second = now;
    p->status = status;
    p->typed = type;
    p->page = type && policy_is_page(type);
    memcpy(p->type, type ? type : "", length + 1);
    p->text = (text){ p->bytes, (size_t)(response_put_prefix(p->bytes, status, type, now) - p->bytes) };
    return p;
}

/* The head, and room for body bytes right behind it: returns where they go. */
static char *response_head(request *req, int status, const char *type, uint64_t length, size_t body)
{
    const time_t now = time(NULL);
    const struct prefix *const prefix = response_prefix(status, type, now);
    const size_t prefix_most = prefix ? prefix->text.length : PREFIX_MOST + strlen(type);
    const text policy = (prefix ? prefix->page : policy_is_page(type)) ? POLICY_OF_PAGES : TEXT("");
    const text extra = response_headers_so_far(req);
    const size_t bound = prefix_most + policy.length + extra.length + body + 128;
    char *const start = output_room(req->out, bound), *at = start;
    char digits[TEXT_DIGITS];

    at = prefix ? response_put(at, prefix->text) : response_put_prefix(at, status, type, now);
    if (length != LENGTH_UNKNOWN && !status_is_bodiless(status)) {
        at = response_put(at, TEXT("Content-Length: "));
        at = response_put(at, text_number(length, digits));
        at = response_put(at, TEXT("\r\n"));
    } else if (req->minor == 1 && !status_is_bodiless(status)) {
        at = response_put(at, TEXT("Transfer-Encoding: chunked\r\n"));
    }
    if (!req->keep_alive)
        at = response_put(at, TEXT("Connection: close\r\n"));
    else if (req->minor == 0)
        at = response_put(at, TEXT("Connection: keep-alive\r\n"));
    at = response_put(at, policy);
    at = response_put(at, extra);
    at = response_put(at, TEXT("\r\n"));
    output_cut(req->out, bound - (size_t)(at - start) - body);
    return at;
}

/* From now on the client's pace is what counts. */
static void response_claim(request *req)
{
    const bool limited = req->deadline != NO_DEADLINE;
    req->answered = true;
    req->left = 0;
    if (limited)
        request_host_here->limit(req);
}

static int response_begin(request *req, int status, const char *type, uint64_t length, text body)
{
    if (req->answered)
        return UV_EALREADY;
    response_claim(req);
    if (req->gone)
        return 0;
    if (req->body && !req->body->complete)   /* what is left of it would be in the way of another request */
        req->keep_alive = false;
    if (length == LENGTH_UNKNOWN) {
        req->streamed = true;
        if (request_is_delimited_by_end(req))
            req->keep_alive = false;
    }
    if (req->route)
        request_host_here->answering(req);
    request_answer_id(req);
    if (req->method == HTTP_HEAD || status_is_bodiless(status))
        body.length = 0;
    else
        req->left = length - body.length;
    response_put(response_head(req, status, type, length, body.length), body);
    req->status = (uint32_t)status & 0x3ff;
    request_answer_so_far(req)->length = req->left + body.length;
    return 0;
}

void request_switch(request *req, struct websocket *ws, text digest, text protocol, text extension)
{
    response_claim(req);
    req->keep_alive = false;
    req->websocket = ws;
    request_host_here->answering(req);
    request_answer_id(req);
    req->upgraded = true;
    shard_add(SHARD_WEBSOCKETS, 1);
    shard_add(SHARD_WEBSOCKETS_OPENED, 1);
    if (req->gone)
        return;
    req->status = 101;                       /* no more headers */
    output_append(req->out, status_line(101));
    output_append(req->out, TEXT("Server: tenk\r\nUpgrade: websocket\r\n"
                                 "Connection: Upgrade\r\nSec-WebSocket-Accept: "));
    output_append(req->out, digest);
    if (protocol.length > 0)
        output_append(req->out, TEXT("\r\nSec-WebSocket-Protocol: "));
    output_append(req->out, protocol);
    if (extension.length > 0)
        output_append(req->out, TEXT("\r\nSec-WebSocket-Extensions: "));
    output_append(req->out, extension);
    output_append(req->out, TEXT("\r\n"));
    output_append(req->out, response_headers_so_far(req));
    output_append(req->out, TEXT("\r\n"));
}

int respond(request *req, int status, const char *type, text body)
{
    enum { LARGE = 128 * 1024 };
    if (body.length > OUTPUT_MOST) {         /* of what a database holds, say */
        log_error("an answer has %zu bytes, and no more than %zu can be sent", body.length, OUTPUT_MOST);
        return respond_error(req, HTTP_STATUS(500));
    }
    if (body.length > LARGE && !mem_has(body.length))
        return refuse(REFUSED_MEMORY, 0);    /* which is answered when the handler has returned it */
    return response_begin(req, status, type, body.length, body);
}

int respond_nothing(request *req, int status)
{
    return response_begin(req, status, NULL, 0, TEXT(""));
}

int respond_begin(request *req, int status, const char *type, uint64_t length)
{
    return response_begin(req, status, type, length, TEXT(""));
}

int respond_stream(request *req, int status, const char *type)
{
    return response_begin(req, status, type, LENGTH_UNKNOWN, TEXT(""));
}

enum { CHUNK_DIGITS = 2 * sizeof(size_t) + 1 };

static text chunk_size(size_t length, char digits[CHUNK_DIGITS])
{
    return (text){ digits, (size_t)snprintf(digits, CHUNK_DIGITS, "%zx", length) };
}

size_t respond_chunk_more(size_t length)
{
    char digits[CHUNK_DIGITS];
    return chunk_size(length, digits).length + 4;
}

char *respond_chunk_around(char *to, size_t length)
{
    char digits[CHUNK_DIGITS];
    char *const data = response_put(response_put(to, chunk_size(length, digits)), TEXT("\r\n"));
    response_put(data + length, TEXT("\r\n"));
    return data;
}

static char *response_chunk(output *o, size_t length)
{
    return respond_chunk_around(output_room(o, respond_chunk_more(length) + length), length);
}

bool respond_is_chunked(const request *req) { return req->streamed && req->minor == 1; }

void respond_end(request *req)
{
    if (!req->streamed || request_left(req) == 0)
        return;
    request_answer_so_far(req)->length -= req->left;
    req->left = 0;
    if (req->minor == 1 && !req->gone)
        output_append(req->out, TEXT("0\r\n\r\n"));
}

size_t respond_piece_size(const request *req, size_t most)
{
    enum { LEAST = 4096 };
    const size_t share = request_host_here->share(req);
    return share >= most ? most : share > LEAST ? share : LEAST;
}

char *respond_room(request *req, size_t length)
{
    req->left -= length;
    return respond_is_chunked(req) ? response_chunk(req->out, length) : output_room(req->out, length);
}

void respond_form(request *req, const topic_message *m, text form)
{
    req->left -= form.length;
    output_share(req->out, m, form);
}

promise *respond_piece(request *req, text piece)
{
    if (req->gone)
        return promise_settled(UV_ECANCELED);
    if (piece.length > request_left(req))
        piece.length = (size_t)request_left(req);            /* also all of it, when the method is HEAD */
    if (piece.length > 0)
        response_put(respond_room(req, piece.length), piece);
    return request_host_here->room(req);
}
