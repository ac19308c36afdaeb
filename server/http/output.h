/* output.h - bytes on their way out: appended in small pieces, written in large ones.
 *
 * A list of chunks, empty while there is nothing to say. Chunks are blocks (block.h), so that a short
 * answer is built in memory that is still in the cache; or refer to what many get, and nothing of it is copied. */
#ifndef HTTP_OUTPUT_H
#define HTTP_OUTPUT_H

#include "server/topic/topic_message.h"

#include <stdint.h>

typedef struct chunk {                       /* its bytes lie behind it */
    struct chunk *next;
    uint32_t      size, used;                /* of bytes; size 0: used are elsewhere, see output_share */
    uint32_t      sent;                      /* of used, from the front */
} chunk;

typedef struct shared_chunk {
    chunk                base;               /* must be first */
    const topic_message *of;                 /* which it holds */
    const char          *at;
} shared_chunk;

typedef struct output {                      /* {0} is empty */
    chunk *first, *last;
    size_t length;                           /* bytes still to be sent */
} output;

#define OUTPUT_MOST ((size_t)4000000000)    /* bytes in a row, with a head */

/* What of a chunk is still to be sent. */
static inline text chunk_left(const chunk *c)
{
    const char *at = c->size > 0 ? (const char *)(c + 1) : ((const shared_chunk *)c)->at;
    return (text){ at + c->sent, c->used - c->sent };
}

/* Room for length bytes in a row, not many more than OUTPUT_MOST, to be filled at once; they count as appended. */
char  *output_room(output *o, size_t length);
void   output_cut(output *o, size_t length);                 /* of the room just got, its last bytes were not needed */
void   output_append(output *o, text t);

/* A form of m (topic_message.h), which m has at least until it is sent. A short one is copied, which costs less. */
enum { OUTPUT_SHARED = 2048 };               /* bytes from which on it is not */
void   output_share(output *o, const topic_message *m, text form);
void   output_move(output *to, output *from);                /* all of from behind what to has */
void   output_sent(output *o, size_t length);                /* the first length bytes have left */
void   output_free(output *o);               /* o is empty afterwards */

#endif
