/* chunked.c - see chunked.h. */
#include "chunked.h"
#include "head_scanner.h"
#include "status.h"

/* What comes next. Of an extension: *( BWS ";" BWS name [ BWS "=" BWS ( token / quoted-string ) ] ) */
enum {
    FIRST_DIGIT, DIGIT,
    BEFORE_SEMICOLON,                        /* after white space: another extension, and no end of the line */
    BEFORE_NAME, NAME, BEFORE_EQUALS,        /* the last after white space, too: or another extension */
    BEFORE_VALUE, VALUE, QUOTED, ESCAPED, AFTER_QUOTED,
    SIZE_LF,                                 /* of the line with the size */
    CONTENT_CR, CONTENT_LF,                  /* behind the content */
    MALFORMED,
};

static int chunked_digit(unsigned char byte)
{
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    byte |= 0x20;
    return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

static bool is_space(unsigned char byte)    { return byte == ' ' || byte == '\t'; }
static bool is_quotable(unsigned char byte) { return byte == '\t' || (byte >= 0x20 && byte != 0x7f); }

/* Where something may end: the size, a name without value, a value. */
static int chunked_after_part(unsigned char byte, int spaced)
{
    return byte == '\r' ? SIZE_LF : byte == ';' ? BEFORE_NAME : is_space(byte) ? spaced : MALFORMED;
}

static int chunked_in_extension(int state, unsigned char byte)
{
    const bool token = HEAD_TOKEN[byte], space = is_space(byte);
    switch (state) {
    case BEFORE_SEMICOLON: return space ? state : byte == ';' ? BEFORE_NAME : MALFORMED;
    case BEFORE_NAME:      return space ? state : token ? NAME : MALFORMED;
    case NAME:             return token ? state : byte == '=' ? BEFORE_VALUE : chunked_after_part(byte, BEFORE_EQUALS);
    case BEFORE_EQUALS:    return space ? state : byte == '=' ? BEFORE_VALUE : byte == ';' ? BEFORE_NAME : MALFORMED;
    case BEFORE_VALUE:     return space ? state : byte == '"' ? QUOTED : token ? VALUE : MALFORMED;
    case VALUE:            return token ? state : chunked_after_part(byte, BEFORE_SEMICOLON);
    case QUOTED:           return byte == '"' ? AFTER_QUOTED : byte == '\\' ? ESCAPED : is_quotable(byte) ? state : MALFORMED;
    case ESCAPED:          return is_quotable(byte) ? QUOTED : MALFORMED;
    default:               return chunked_after_part(byte, BEFORE_SEMICOLON);
    }
}

/* The size, and what ends it. */
static int chunked_in_size(chunked *c, unsigned char byte, uint64_t most)
{
    const int digit = chunked_digit(byte);
    if (digit < 0)
        return c->state == DIGIT ? chunked_after_part(byte, BEFORE_SEMICOLON) : MALFORMED;
    if (c->size > most >> 4 || (c->size << 4 | (unsigned)digit) > most)
        return HTTP_STATUS(413);
    c->size = c->size << 4 | (unsigned)digit;
    return DIGIT;
}

long chunked_take(chunked *c, const char *at, size_t length, uint64_t most)
{
    for (size_t i = 0; i < length; i++) {
        const unsigned char byte = (unsigned char)at[i];
        int next;
        switch (c->state) {
        case FIRST_DIGIT:
        case DIGIT:
            next = chunked_in_size(c, byte, most);
            break;
        case SIZE_LF:
            if (byte != '\n')
                return HTTP_STATUS(400);
            c->last = c->size == 0;
            c->left = c->size;
            c->size = 0;
            c->state = CONTENT_CR;
            return (long)i + 1;
        case CONTENT_CR:
            next = byte == '\r' ? CONTENT_LF : MALFORMED;
            break;
        case CONTENT_LF:
            next = byte == '\n' ? FIRST_DIGIT : MALFORMED;
            break;
        default:
            next = chunked_in_extension(c->state, byte);
        }
        if (next < 0 || next == MALFORMED)
            return next < 0 ? next : HTTP_STATUS(400);
        c->state = (uint8_t)next;
    }
    return (long)length;
}
