/* response.c - see request.h: how a handler answers. The head is built in the output itself. */
#include "request.h"
#include "request_internal.h"
#include "policy.h"
#include "server/base/log.h"
#include "server/base/memory.h"
#include "server/base/refusal.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

/* What every answer says: made once a second. */
static text response_common_headers(void)
{
    static _Thread_local struct { time_t second; text text; char bytes[80]; } made;
    const time_t now = time(NULL);
    if (now != made.second) {
        struct tm utc;
        gmtime_r(&now, &utc);
        made.second = now;
        made.text.at = made.bytes;
        made.text.length = strftime(made.bytes, sizeof made.bytes,
                                    "Server: tenk\r\nDate: %a, %d %b %Y %H:%M:%S GMT\r\n", &utc);
    }
    return made.text;
}

static char *response_put(char *at, text t)
{
    if (t.length > 0)
        memcpy(at, t.at, t.length);
    return at + t.length;
}

void respond_header(request *req, const char *name, const char *format, ...)
{
    const text called = text_of(name), before = text_of(req->extra ? req->extra : "");
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
    req->extra = all;
    va_end(again);
    va_end(args);
}

/* RFC 9110, 15.3.5 and 15.4.5: these end with their head, whatever it says. */
static bool status_is_bodiless(int status) { return status == 204 || status == 304; }

/* The head, and room for body bytes right behind it: returns where they go. */
static char *response_head(request *req, int status, const char *type, uint64_t length, size_t body)
{
    const text line = status_line(status), common = response_common_headers();
    const text media = text_of(type ? type : ""), extra = text_of(req->extra ? req->extra : "");
    const text policy = type && policy_is_page(type) ? POLICY_OF_PAGES : TEXT("");
    const size_t bound = line.length + common.length + media.length + policy.length + extra.length + body + 128;
    char *const start = output_room(req->out, bound), *at = start;
    char digits[TEXT_DIGITS];

    at = response_put(at, line);
    at = response_put(at, common);
    if (type) {
        at = response_put(at, TEXT("Content-Type: "));
        at = response_put(at, media);
        at = response_put(at, TEXT("\r\n"));
    }
    if (!status_is_bodiless(status)) {
        at = response_put(at, TEXT("Content-Length: "));
        at = response_put(at, text_number(length, digits));
        at = response_put(at, TEXT("\r\n"));
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

static int response_begin(request *req, int status, const char *type, uint64_t length, text body)
{
    if (req->answered)
        return UV_EALREADY;
    req->answered = true;
    if (req->deadline != NO_DEADLINE) {      /* from now on the client's pace is what counts */
        req->deadline = NO_DEADLINE;
        req->host->limit(req);
    }
    if (req->gone)
        return 0;
    if (req->body && !req->body->complete)   /* what is left of it would be in the way of another request */
        req->keep_alive = false;
    if (req->route)
        req->host->answering(req);
    if (req->method == HTTP_HEAD || status_is_bodiless(status))
        req->left = body.length = 0;
    else
        req->left = length - body.length;
    response_put(response_head(req, status, type, length, body.length), body);
    return 0;
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

size_t respond_piece_size(const request *req, size_t most)
{
    enum { LEAST = 4096 };
    const size_t share = req->host->share(req);
    return share >= most ? most : share > LEAST ? share : LEAST;
}

promise *respond_piece(request *req, text piece)
{
    if (req->gone)
        return promise_settled(UV_ECANCELED);
    if (piece.length > req->left)
        piece.length = (size_t)req->left;    /* also all of it, when the method is HEAD */
    req->left -= piece.length;
    if (piece.length > 0)
        output_append(req->out, piece);
    return req->host->room(req);
}
