/* frame.h - frames (RFC 6455, 5.2), which are wslay's: written to an output, and read.
 *
 *     bytes -> frame_reader_read -> on_frame, on_bytes ..., on_message
 *
 * To write takes nothing but the bytes. To read takes a reader of 9 KB, which a thread lends for as long as a message is
 * under way, and of which it keeps a few: so whoever waits for the next message has none.
 *
 *   Threads.  A reader stays on the thread that got it. */
#ifndef HTTP_WEBSOCKET_FRAME_H
#define HTTP_WEBSOCKET_FRAME_H

#include "server/base/text.h"
#include "server/http/output.h"

#include <stdbool.h>

typedef enum frame_kind { FRAME_TEXT = 1, FRAME_BINARY = 2, FRAME_CLOSE = 8, FRAME_PING = 9, FRAME_PONG = 10 } frame_kind;

enum { FRAME_CONTROL_MOST = 125 };           /* bytes of a Close, a ping and a pong */

/* A whole message in one frame; compressed: which its bytes are (RFC 7692). 0, or UV_ENOMEM: then nothing has been written. */
int frame_write(output *to, frame_kind kind, bool compressed, text bytes);

/* The same for many who get it, uncompressed: in memory of mem_alloc; "" for UV_ENOMEM. */
text frame_make(frame_kind kind, text bytes);
text frame_bytes(text frame);                /* of one that was made: the message */

/* What a reader tells its user. Of text that is no UTF-8 no bytes are told from the first wrong one on; text that is
 * compressed it does not know. */
typedef struct frame_events {
    void (*on_frame)(void *arg, frame_kind kind, bool compressed, uint64_t length);  /* a message begins or goes on, and then
                                                kind and compressed say nothing */
    void (*on_bytes)(void *arg, text bytes);         /* of it: all of its frames' length, in order */
    void (*on_message)(void *arg);                   /* it is whole */
    void (*on_control)(void *arg, frame_kind kind, text bytes);      /* also between frames of a message */
} frame_events;

typedef struct frame_reader frame_reader;

/* How many bytes from the front of t, where a frame begins, a reader may be given at once: those of the frame, as many as
 * are there; of a long one only the first ones, up to the first of its payload: on_frame tells how many follow. 0: more must
 * come first: all of its head and one byte behind it or, if it is one of control, all of it. */
size_t frame_first_part(text t);

/* compression: messages may be compressed, which otherwise breaks a rule. NULL: there is no memory for it. */
frame_reader *frame_reader_get(const frame_events *events, void *arg, bool compression);
void          frame_reader_put(frame_reader *r);     /* at any point */

/* bytes are a frame_first_part, or of what follows it. 0, or the code with which to close: 1002, 1007 or 1013 (no memory);
 * then, and when there has been a Close, it is good for nothing but frame_reader_put. */
int           frame_reader_read(frame_reader *r, text bytes);

void          frame_trim(void);              /* a thread about to exit gives back what it kept for reuse */

#endif
