/* status.c - see status.h. */
#include "status.h"
#include "server/base/overload/refusal.h"
#include "server/base/errors.h"

#include <uv.h>

#define EACH_STATUS(status)                    \
    status(100, "Continue")                    \
    status(101, "Switching Protocols")         \
    status(200, "OK")                          \
    status(201, "Created")                     \
    status(202, "Accepted")                    \
    status(204, "No Content")                  \
    status(206, "Partial Content")             \
    status(301, "Moved Permanently")           \
    status(302, "Found")                       \
    status(303, "See Other")                   \
    status(304, "Not Modified")                \
    status(307, "Temporary Redirect")          \
    status(308, "Permanent Redirect")          \
    status(400, "Bad Request")                 \
    status(401, "Unauthorized")                \
    status(403, "Forbidden")                   \
    status(404, "Not Found")                   \
    status(405, "Method Not Allowed")          \
    status(406, "Not Acceptable")              \
    status(408, "Request Timeout")             \
    status(409, "Conflict")                    \
    status(410, "Gone")                        \
    status(411, "Length Required")             \
    status(412, "Precondition Failed")         \
    status(413, "Content Too Large")           \
    status(414, "URI Too Long")                \
    status(415, "Unsupported Media Type")      \
    status(416, "Range Not Satisfiable")       \
    status(417, "Expectation Failed")          \
    status(422, "Unprocessable Content")       \
    status(426, "Upgrade Required")            \
    status(428, "Precondition Required")       \
    status(429, "Too Many Requests")           \
    status(431, "Request Header Fields Too Large") \
    status(500, "Internal Server Error")       \
    status(501, "Not Implemented")             \
    status(502, "Bad Gateway")                 \
    status(503, "Service Unavailable")         \
    status(504, "Gateway Timeout")             \
    status(505, "HTTP Version Not Supported")  \
    status(507, "Insufficient Storage")

enum {
    NUMBER_OF_NONE,
#define NUMBER(code, reason) NUMBER_OF_##code,
    EACH_STATUS(NUMBER) NUMBERS,
};

_Static_assert(STATUSES - NUMBERS >= 0, "each has a number");

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init"
const uint8_t STATUS_NUMBERS[STATUS_CODES] = {
    [1 ... STATUS_CODES - 1] = NUMBER_OF_500,
#define PLACE(code, reason) [code] = NUMBER_OF_##code,
    EACH_STATUS(PLACE)
};
#pragma GCC diagnostic pop

int status_of_number(int number)
{
    static const uint16_t STATUS_OF[STATUSES] = {
#define CODE(code, reason) [NUMBER_OF_##code] = (code),
        EACH_STATUS(CODE)
    };
    return STATUS_OF[number];
}

text status_line(int status)
{
    switch (status) {
#define LINE(code, reason) case code: return TEXT("HTTP/1.1 " #code " " reason "\r\n");
        EACH_STATUS(LINE)
    default: return TEXT("HTTP/1.1 500 Internal Server Error\r\n");
    }
}

text status_reason(int status)
{
    text line = status_line(status);
    return (text){ line.at + 13, line.length - 15 };         /* after "HTTP/1.1 404 ", without CRLF */
}

int status_of(int err)
{
    if (err <= HTTP_STATUS(100) && err >= HTTP_STATUS(599))
        return HTTP_STATUS(0) - err;
    if (refusal_is(err) || err_is_transient(err))
        return 503;
    switch (err) {
    case UV_EINVAL:       return 400;
    case UV_ENOENT:       return 404;
    case UV_EAGAIN:                          /* a wait queue is full */
    case UV_ENOMEM:                          /* the kernel refused a stack */
    case UV_ECONNREFUSED:                    /* no database */
    case UV_ECONNRESET:                      /* it went away meanwhile */
    case UV_EROFS:
    case UV_ESHUTDOWN:                       /* the server stops */
    case UV_ECANCELED:    return 503;
    case ERR_UNCERTAIN:
    case UV_EPROTO:                          /* another server, asked for this, made no sense */
    case UV_E2BIG:
    case UV_EAI_NONAME:   return 502;
    case UV_ETIMEDOUT:    return 504;
    case UV_ENOSPC:       return 507;
    default:              return 500;
    }
}
