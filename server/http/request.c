/* request.c - see request.h: what a handler may ask. */
#include "request.h"
#include "request_internal.h"
#include "server/http/message/url.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

static text request_cut(const request *req, span s) { return (text){ request_head(req) + s.at, s.length }; }

text request_query_string(const request *req) { return request_cut(req, req->query); }

text request_path(const request *req)
{
    return req->path.length > 0 ? request_cut(req, req->path) : TEXT("/");
}

text     request_method(const request *req)          { return text_of(llhttp_method_name(req->method)); }
uint64_t request_started(const request *req)         { return req->started; }
uint64_t request_waited(const request *req)          { return (uint64_t)req->waited * 100000; }
void   **request_context(request *req)               { return &req->context; }
arena   *request_arena(request *req)                 { return &req->arena; }
void    *request_alloc(request *req, size_t size)    { return arena_alloc(&req->arena, size); }

uint64_t request_deadline(const request *req) { return req->answered ? NO_DEADLINE : req->deadline; }

void request_set_deadline(request *req, uint64_t deadline)
{
    if (req->answered)
        return;
    req->deadline = deadline;
    request_host_here->limit(req);
}

text request_header(const request *req, const char *name)
{
    return header_find(request_head(req), request_headers(req), req->header_count, name);
}

peer_client request_client(const request *req)
{
    const peer p = request_host_here->peer(req);
    return peer_find_client(&p, request_head(req), request_headers(req), req->header_count);
}

text request_client_name(const request *req, char room[IP_TEXT])
{
    const text name = request_host_here->name(req);
    if (name.length > 0)
        return name;
    const peer p = request_host_here->peer(req);
    return peer_find_name(&p, request_head(req), request_headers(req), req->header_count, room);
}

text request_client_address(request *req)  { return request_client_name(req, request_alloc(req, IP_TEXT)); }
text request_scheme(const request *req)    { return request_client(req).scheme; }
text request_authority(const request *req) { return request_client(req).host; }

text request_list(request *req, const char *name)
{
    return header_list(&req->arena, request_head(req), request_headers(req), req->header_count, name);
}

text request_type(const request *req)
{
    const text type = request_header(req, "content-type");
    const char *semicolon = memchr(type.at, ';', type.length);
    return text_trim((text){ type.at, semicolon ? (size_t)(semicolon - type.at) : type.length });
}

text request_body(const request *req)
{
    return req->body && !req->body->streams && req->body->length > 0 ? (text){ req->body->at, req->body->length } : TEXT("");
}

async int request_read(request *req, text *piece)
{
    body *b = req->body;
    if (!b)
        return UV_EOF;
    if (b->lent)
        body_drop(b);
    if (body_wants(b)) {
        const int err = await(request_host_here->more(req));
        if (err)
            return err;
    }
    if (b->length == 0)
        return b->err ? b->err : UV_EOF;
    b->lent = true;
    *piece = (text){ b->at, b->length };
    return 0;
}

/* The path has been matched: its segments are those of the route, one by one. */
text request_param(request *req, const char *name)
{
    const text path = request_path(req);
    const char *const end = path.at + path.length, *from = path.at;
    for (const char *at = req->route->path; from < end && (at = strchr(at, '/'));) {
        at++, from++;
        const text segment = { at, strcspn(at, "/") };
        const bool rest = text_equal(segment, TEXT("*")), named = segment.length > 0 && *at == ':';
        const char *const slash = rest ? NULL : memchr(from, '/', (size_t)(end - from));
        const text here = { from, (size_t)((slash ? slash : end) - from) };
        if ((rest || named) && text_equal((text){ at + named, segment.length - named }, text_of(name)))
            return url_decode(&req->arena, here, false);
        from += here.length;
    }
    return TEXT("");
}

bool request_has_query(request *req, const char *name)
{
    text value;
    return form_find(&req->arena, request_cut(req, req->query), name, &value);
}

text request_query(request *req, const char *name)
{
    text value = TEXT("");
    form_find(&req->arena, request_cut(req, req->query), name, &value);
    return value;
}

int request_number(text t, int64_t *value)
{
    char digits[24], *end;                   /* the longest int64_t has 20 */
    if (t.length == 0 || t.length >= sizeof digits || !(t.at[0] == '-' || (t.at[0] >= '0' && t.at[0] <= '9')))
        return E_BAD_REQUEST;
    memcpy(digits, t.at, t.length);
    digits[t.length] = '\0';
    errno = 0;
    const long long n = strtoll(digits, &end, 10);
    if (errno || *end || end != digits + t.length || end == digits)
        return E_BAD_REQUEST;
    *value = n;
    return 0;
}

int request_param_int(request *req, const char *name, int64_t *value)
{
    return request_number(request_param(req, name), value);
}

int request_query_int(request *req, const char *name, int64_t *value)
{
    return request_has_query(req, name) ? request_number(request_query(req, name), value) : 0;
}

int request_body_int(const request *req, int64_t *value)
{
    text t = request_body(req);
    while (t.length > 0 && isspace((unsigned char)t.at[t.length - 1]))
        t.length--;
    for (; t.length > 0 && isspace((unsigned char)*t.at); t.length--)
        t.at++;
    return request_number(t, value);
}
