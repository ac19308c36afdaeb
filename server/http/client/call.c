/* call.c - see call.h. */
#include "call.h"
#include "server/http/message/head.h"
#include "server/http/message/head_validator.h"

#include <strings.h>

static size_t call_token_length(const char *s)
{
    size_t length = 0;
    while (HEAD_TOKEN[(unsigned char)s[length]])
        length++;
    return length;
}

static bool call_is_line(const char *s)      /* one that ends where it should */
{
    for (; *s; s++)
        if (((unsigned char)*s < ' ' && *s != '\t') || *s == 0x7f)
            return false;
    return true;
}

static bool call_is_header(const char *s)
{
    const size_t name = call_token_length(s);
    return name > 0 && s[name] == ':' && call_is_line(s + name);
}

bool http_call_is_valid(const http_call *c)
{
    const char *method = c->method ? c->method : "GET";
    if (strncasecmp(c->url, "http://", 7) != 0 && strncasecmp(c->url, "https://", 8) != 0)
        return false;
    if (!*method || method[call_token_length(method)] || !call_is_line(c->url) || (c->type && !call_is_line(c->type)))
        return false;
    for (const char *const *h = c->headers; h && *h; h++)
        if (!call_is_header(*h))
            return false;
    return true;
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
