/* peer.h - one websocket, or one stream of events, of the load. Frames are made and taken apart by hand: who measures
 * must be cheap. */
#ifndef PEER_H
#define PEER_H

#include <stdbool.h>
#include <stddef.h>

typedef struct peer {
    int    fd;
    bool   stream;
    bool   reached;                          /* by what others say */
    int    back;                             /* messages of those it has sent last that have come back */
    size_t held;                             /* bytes of a frame whose rest is still to come */
    char  *bytes;                            /* these; NULL: none */
} peer;

typedef void on_message(peer *p, const char *at, size_t length);

enum { PEER_FRAME = 14 };                    /* bytes of a frame's head, at most */

/* Connects, and asks for path as a websocket, or for a stream of events; the head of the answer has been read then. Ends the
 * program if the answer is another. buffer: bytes of what the kernel may keep for it; 0: the usual. */
void   peer_open(peer *p, int port, const char *path, bool stream, int buffer);
void   peer_send(peer *p, const char *frames, size_t length);

/* Reads once, and calls done with each whole message of text or binary; of a stream, with the whole events that have come. */
void   peer_read(peer *p, on_message *done);

/* Writes a masked frame of text: how many bytes. */
size_t peer_frame(char *to, const char *at, size_t length);

#endif
