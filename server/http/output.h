/* output.h - bytes on their way out: appended in small pieces, written in large ones.
 *
 * A list of chunks, empty while there is nothing to say. Chunks are blocks (block.h), so that a short
 * answer is built in memory that is still in the cache. */
#ifndef HTTP_OUTPUT_H
#define HTTP_OUTPUT_H

#include "server/base/text.h"

#include <stdint.h>

typedef struct chunk {
    struct chunk *next;
    uint32_t      size, used;                /* of bytes */
    uint32_t      sent;                      /* of used, from the front */
    char          bytes[];
} chunk;

typedef struct output {                      /* {0} is empty */
    chunk *first, *last;
    size_t length;                           /* bytes still to be sent */
} output;

#define OUTPUT_MOST ((size_t)4000000000)    /* bytes in a row, with a head */

/* Room for length bytes in a row, not many more than OUTPUT_MOST, to be filled at once; they count as appended. */
char  *output_room(output *o, size_t length);
void   output_cut(output *o, size_t length);                 /* of the room just got, its last bytes were not needed */
void   output_append(output *o, text t);
void   output_move(output *to, output *from);                /* all of from behind what to has */
void   output_sent(output *o, size_t length);                /* the first length bytes have left */
void   output_free(output *o);               /* o is empty afterwards */

#endif
