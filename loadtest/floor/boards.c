/* boards.c - the answers of the boards' routes. */
#include "boards.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

board board_of(const char *path)
{
    switch (path[1]) {
    case 'd': return BOARD_DB;
    case 'q': return BOARD_QUERIES;
    case 'u': return BOARD_UPDATES;
    default: return BOARD_FORTUNES;
    }
}

int board_count(const char *path)
{
    while (*path != '=' && *path != ' ')
        path++;
    const int count = *path == '=' ? atoi(path + 1) : 1;
    return count < 1 ? 1 : count < BOARD_MOST ? count : BOARD_MOST;
}

int board_random(void) { return 1 + (int)((lrand48() * BOARD_ROWS) >> 31); }

static int by_id(const void *a, const void *b)
{
    return ((const world *)a)->id - ((const world *)b)->id;
}

static bool differ(const world worlds[], int count)
{
    for (int i = 1; i < count; i++)
        if (worlds[i].id == worlds[i - 1].id)
            return false;
    return true;
}

void choose_worlds(world worlds[], int count, board b)
{
    do {
        for (int i = 0; i < count; i++)
            worlds[i].id = board_random();
        if (b == BOARD_UPDATES)
            qsort(worlds, (size_t)count, sizeof *worlds, by_id);
    } while (b == BOARD_UPDATES && !differ(worlds, count));
}

static char *put(char *p, const char *text) { return stpcpy(p, text); }

char *put_int(char *p, unsigned n)
{
    char digits[10];
    int length = 0;
    do
        digits[length++] = (char)('0' + n % 10);
    while (n /= 10);
    while (length > 0)
        *p++ = digits[--length];
    return p;
}

char *put_worlds(char *p, const world worlds[], int count, board b)
{
    if (b != BOARD_DB)
        *p++ = '[';
    for (int i = 0; i < count; i++) {
        if (i > 0)
            *p++ = ',';
        p = put_int(put(p, "{\"id\":"), (unsigned)worlds[i].id);
        p = put_int(put(p, ",\"randomNumber\":"), (unsigned)worlds[i].number);
        *p++ = '}';
    }
    if (b != BOARD_DB)
        *p++ = ']';
    return p;
}

static char *put_html(char *p, const char *text, size_t length)
{
    static const char *const ESCAPES[256] = {
        ['&'] = "&amp;", ['<'] = "&lt;", ['>'] = "&gt;", ['"'] = "&quot;", ['\''] = "&#39;"
    };
    size_t copied = 0;
    for (size_t i = 0; i < length; i++) {
        const char *escape = ESCAPES[(unsigned char)text[i]];
        if (!escape)
            continue;
        p = put(mempcpy(p, text + copied, i - copied), escape);
        copied = i + 1;
    }
    return mempcpy(p, text + copied, length - copied);
}

static int by_message(const void *one, const void *other)
{
    const fortune *a = one, *b = other;
    const int order =
        memcmp(a->message, b->message, a->length < b->length ? a->length : b->length);
    return order ? order : (a->length > b->length) - (a->length < b->length);
}

char *put_fortunes(char *p, fortune fortunes[], int count)
{
    static const char ADDED[] = "Additional fortune added at request time.";
    fortunes[count++] = (fortune){ 0, ADDED, sizeof ADDED - 1 };
    qsort(fortunes, (size_t)count, sizeof *fortunes, by_message);
    p = put(p, "<!DOCTYPE html><html><head><title>Fortunes</title></head><body><table>"
               "<tr><th>id</th><th>message</th></tr>");
    for (int i = 0; i < count; i++) {
        p = put(put_int(put(p, "<tr><td>"), (unsigned)fortunes[i].id), "</td><td>");
        p = put(put_html(p, fortunes[i].message, fortunes[i].length), "</td></tr>");
    }
    return put(p, "</table></body></html>");
}
