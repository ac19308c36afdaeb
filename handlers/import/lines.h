/* lines.h - cuts what comes in pieces into lines.
 *
 *     lines_feed(&l, piece);
 *     while ((what = lines_next(&l, &line)) != LINES_MORE)
 *         ...
 *
 * A line ends with LF or CRLF, which is no part of it; the last may end with the last piece. One that is cut by
 * the end of a piece is kept, up to a bound. */
#ifndef LINES_H
#define LINES_H

#include "server/base/text.h"

typedef struct lines {                       /* { .limit = bytes of a line } is ready for the first piece */
    size_t   limit;
    uint64_t number;                         /* of the line that was given last, from 1 */
    text     rest;                           /* of the piece */
    char    *open;                           /* owned: the beginning of a line, or one that was cut */
    size_t   length, capacity;
    bool     cut, too_long, given;           /* it has begun in an earlier piece; is not kept; is the caller's */
} lines;

typedef enum { LINES_MORE, LINES_LINE, LINES_TOO_LONG } lines_what;

void       lines_feed(lines *l, text piece); /* a view until lines_next says LINES_MORE */
lines_what lines_next(lines *l, text *line); /* the line is a view until the next call; nothing of one too long */
lines_what lines_last(lines *l, text *line); /* when there are no more pieces: what no LF has ended, or LINES_MORE */
void       lines_done(lines *l);

#endif
