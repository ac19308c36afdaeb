/* waterfall.h - one of the slowest requests (slowest.h) as rows from its beginning to its end, and their drawing.
 *
 *     whole    |##################################|          from its head to the end of its handler
 *     line     |#####                             |          it waits to be admitted
 *     runs     |     #        #              #    |          its task on the loop: its runs are one row
 *     await    |      #######                     |          from the pause to the next run
 *     query    |      ..####                      |          waits for a connection or a thread . and runs #
 *     query    |      ..######                    |          what is under way side by side has rows of its own
 *     job      |                .#############    |          of the thread pool, likewise
 *     write    |                                  |##        until the kernel has all of the answer
 *
 * Times are nanoseconds since its head was whole. */
#ifndef REQUESTS_WATERFALL_H
#define REQUESTS_WATERFALL_H

#include "server/base/buffer.h"
#include "server/base/observe/slowest.h"

typedef enum waterfall_kind {
    WATERFALL_WHOLE, WATERFALL_LINE, WATERFALL_RUNS, WATERFALL_AWAIT, WATERFALL_QUERY, WATERFALL_JOB, WATERFALL_WRITE,
    WATERFALL_KINDS,
} waterfall_kind;

enum { WATERFALL_SPANS = SLOWEST_SPANS + 2 };

typedef struct waterfall_span {
    uint64_t since, began, end;              /* began: until then it waited its turn */
    int      row;
} waterfall_span;

typedef struct waterfall_row {
    waterfall_kind kind;
    const char    *what;                     /* the statement, the executor, the function awaited ... */
    const char    *place;                    /* file and line of an await; "": not known */
    int32_t        number;                   /* that by which it is known, or of the task */
    int            count;                    /* of spans; outcome: of the last that failed */
    int            outcome;
    uint64_t       since, end, total, queued;        /* of all of them */
} waterfall_row;

typedef struct waterfall {
    const slow_request *of;
    uint64_t            end;                 /* of all */
    int                 row_count, span_count;
    waterfall_row       rows[WATERFALL_SPANS];
    waterfall_span      spans[WATERFALL_SPANS];      /* the earliest first */
} waterfall;

void waterfall_make(waterfall *w, const slow_request *r);    /* places should have been learnt (places.h) */

const char *waterfall_word(waterfall_kind kind);             /* "query" */
void waterfall_ms(buffer *b, uint64_t ns);                   /* "3.141", as a number of milliseconds */

void waterfall_draw(buffer *b, const waterfall *w);          /* SVG and its legend, within HTML */
void waterfall_table(buffer *b, const waterfall *w);         /* the same in words */
void waterfall_json(buffer *b, const waterfall *w);          /* an object */

#endif
