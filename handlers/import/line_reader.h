/* line_reader.h - cuts what comes in pieces into lines.
 *
 *     line_reader_feed(&l, piece);
 *     while ((what = line_reader_next(&l, &line)) != LINE_READER_MORE)
 *         ...
 *
 * A line ends with LF or CRLF, which is no part of it; the last may end with the last piece. One that is cut by
 * the end of a piece is kept, up to a bound. */
#ifndef LINE_READER_H
#define LINE_READER_H

#include "server/base/text.h"

typedef struct line_reader {                 /* { .limit = bytes of a line } is ready for the first piece */
    size_t   limit;
    uint64_t number;                         /* of the line that was given last, from 1 */
    text     rest;                           /* of the piece */
    char    *open;                           /* owned: the beginning of a line, or one that was cut */
    size_t   length, capacity;
    bool     cut, too_long, given;           /* it has begun in an earlier piece; is not kept; is the caller's */
} line_reader;

typedef enum { LINE_READER_MORE, LINE_READER_LINE, LINE_READER_TOO_LONG } line_reader_found;

void line_reader_feed(line_reader *l, text piece);           /* a view until line_reader_next says LINE_READER_MORE */

/* The line is a view until the next call; nothing of one too long. The last is what no LF has ended, when there are no
 * more pieces, or LINE_READER_MORE. */
line_reader_found line_reader_next(line_reader *l, text *line);
line_reader_found line_reader_last(line_reader *l, text *line);

void line_reader_done(line_reader *l);

#endif
