/* chunked.h - the framing of a body that comes in chunks (RFC 9112, 7.1), however it is split.
 *
 *     4;name=value CR LF  seco CR LF  2 CR LF  nd CR LF  0 CR LF  trailers
 *     ------ framing ---      ---- framing ----    - framing -
 *
 * Extensions are looked at and dropped. Nothing is guessed: a line ends with CR LF, and has nothing in it
 * that the grammar has not. Two programs that read it differently would let a client smuggle. */
#ifndef HTTP_CHUNKED_H
#define HTTP_CHUNKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct chunked {                     /* {0} stands before the first chunk */
    uint64_t left;                           /* bytes of content that come next: the caller counts them down */
    uint64_t size;                           /* of the next chunk, as far as it has been read */
    uint8_t  state;
    bool     last;                           /* the last chunk has come: trailers are next */
} chunked;

/* When nothing is left of a chunk: takes framing from the bytes at, up to the next byte that is none. Returns how
 * many bytes that were, or an HTTP_STATUS error: 400 when it is malformed; 413 as soon as a chunk says that it has
 * more than most bytes. */
long chunked_take(chunked *c, const char *at, size_t length, uint64_t most);

#endif
