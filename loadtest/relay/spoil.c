/* spoil.c - see spoil.h. */
#include "spoil.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static unsigned count;                       /* of the answers so far, modulo 100 */

static void read_line(answers *a)
{
    static const char LENGTH[] = "content-length:", ENCODING[] = "transfer-encoding:";

    a->line[a->column < SPOIL_LINE ? a->column : SPOIL_LINE - 1] = '\0';
    if (strncasecmp(a->line, LENGTH, sizeof LENGTH - 1) == 0)
        a->length = strtoul(a->line + sizeof LENGTH - 1, NULL, 10);
    if (strncasecmp(a->line, ENCODING, sizeof ENCODING - 1) == 0)
        a->unframed = true;
}

static void read_head_byte(answers *a, char *byte, unsigned percent)
{
    if (a->at == 0) {
        a->chosen = (count + 1) * percent / 100 > count * percent / 100;
        count = (count + 1) % 100;
    }
    if (a->at++ == strlen("HTTP/1.1 ") && a->chosen && *byte == '2')
        *byte = '5';
    if (*byte == '\n') {
        if (a->column == 0) {
            a->body = a->length;
            a->at = a->length = 0;
            return;
        }
        read_line(a);
        a->column = 0;
    } else if (*byte != '\r') {
        if (a->column < SPOIL_LINE)
            a->line[a->column] = *byte;
        a->column++;
    }
}

void spoil(answers *a, char *bytes, size_t length, unsigned percent)
{
    for (size_t i = 0; i < length && !a->unframed;) {
        const size_t body = a->body < length - i ? a->body : length - i;
        a->body -= body;
        i += body;
        if (i < length)
            read_head_byte(a, &bytes[i++], percent);
    }
}
