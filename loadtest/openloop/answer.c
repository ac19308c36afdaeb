/* answer.c - heads are looked at where they were received; only one that came in pieces is copied.
 */
#include "answer.h"

#include "fail.h"

#include <string.h>
#include <strings.h>

static const char blank[4] = "\r\n\r\n";

static const char *field(const char *head, size_t size, const char *name)
{
    const size_t length = strlen(name);
    for (const char *line = head, *end = head + size;
         (line = memchr(line, '\n', (size_t)(end - line))) && (size_t)(end - ++line) > length;)
        if (strncasecmp(line, name, length) == 0)
            return line + length;
    return NULL;
}

static void read_head(answer *a, const char *head, size_t size)
{
    const char *length = field(head, size, "Content-Length:");
    const char *connection = field(head, size, "Connection:");
    if (size < 12 || memcmp(head, "HTTP/1.1 ", 9) != 0 || !length)
        fail("an answer that is not understood: %.*s", (int)size, head);
    a->status = atoi(head + 9);
    a->closes = connection && strncasecmp(connection + strspn(connection, " "), "close", 5) == 0;
    a->body = (size_t)atol(length);
    a->in_body = true;
    a->head_size = 0;
}

/* The end of the head may lie across two pieces, so the joint is looked at in the copy. */
static size_t take_head(answer *a, const char *at, size_t n)
{
    if (a->head_size == 0) {
        const char *end = memmem(at, n, blank, sizeof blank);
        if (end) {
            read_head(a, at, (size_t)(end - at) + sizeof blank);
            return (size_t)(end - at) + sizeof blank;
        }
    }
    const size_t before = a->head_size;
    const size_t more = n < sizeof a->head - before ? n : sizeof a->head - before;
    memcpy(a->head + before, at, more);
    const char *end = memmem(a->head, before + more, blank, sizeof blank);
    if (!end && before + more == sizeof a->head)
        fail("a head of more than %d bytes", ANSWER_HEAD);
    if (!end) {
        a->head_size = before + more;
        return more;
    }
    const size_t size = (size_t)(end - a->head) + sizeof blank;
    read_head(a, a->head, size);
    return size - before;
}

bool answer_take(answer *a, const char **at, size_t n)
{
    if (!a->in_body) {
        const size_t taken = take_head(a, *at, n);
        *at += taken;
        n -= taken;
        if (!a->in_body)
            return false;
    }
    const size_t taken = n < a->body ? n : a->body;
    *at += taken;
    a->body -= taken;
    if (a->body > 0)
        return false;
    a->in_body = false;
    return true;
}
