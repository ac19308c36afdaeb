/* message.h - a websocket's message, as it is gathered from its frames, and inflated if it was compressed.
 *
 * It holds a reader (frame.h) until it is whole. What it may grow to is bounded: by most, bytes, and by how many frames are
 * worth the work. A function that returns an int returns 0, or the code with which to close. */
#ifndef HTTP_WEBSOCKET_MESSAGE_H
#define HTTP_WEBSOCKET_MESSAGE_H

#include "frame.h"
#include "server/async/promise.h"

typedef struct message {
    frame_reader *reader;                    /* until it is whole */
    promise      *answer;                    /* what the step that has it does with it (websocket_each) */
    size_t        length, capacity;
    size_t        rest;                      /* of the frame that is read: bytes that are still to come */
    size_t        fragments;
    bool          whole, binary, compressed;
    char         *bytes;                     /* behind it; of one that was inflated, elsewhere */
} message;

/* A frame begins. *m is made by the first one. 1008: there were too many; 1009: too many bytes. */
int  message_begin_frame(message **m, frame_kind kind, bool compressed, uint64_t length, size_t most);
int  message_append(message **m, text bytes);        /* 1013: there is no memory */

/* All of it is there. 1007: it is no text, or cannot be inflated; 1009; 1013. Text that was not compressed the reader has
 * looked at. */
int  message_finish(message *m, size_t most);
void message_free(message *m);               /* NULL is fine */

#endif
