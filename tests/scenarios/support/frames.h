/* frames.h - the client's side of a websocket, written by hand (RFC 6455): what a library would not send is sent, too. */
#ifndef TESTS_FRAMES_H
#define TESTS_FRAMES_H

#include "client.h"

#include <stdint.h>

enum { FRAME_CONTINUES = 0, FRAME_TEXT = 1, FRAME_BINARY = 2, FRAME_CLOSE = 8, FRAME_PING = 9, FRAME_PONG = 10,
       FRAME_END = 0x80,                     /* of a message: beside its kind */
       FRAME_PACKED = 0x40 };                /* RSV1: it is compressed */

#define HANDSHAKE_OF(path, headers) \
    "GET " path " HTTP/1.1\r\nHost: t\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" \
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" headers "\r\n"     /* the RFC's own key, 1.3 */
#define HANDSHAKE HANDSHAKE_OF("/ws/echo", "")

typedef struct frame {
    int    first;                            /* its first byte; -1: none came */
    size_t length;
    char   bytes[70000];                     /* terminated */
} frame;

client *websocket_new(void);                 /* to /ws/echo; fails the test if the handshake does */
client *websocket_open(const char *handshake);       /* the same, by that one */

/* Writes a masked one to to, which has 14 bytes more than it: its length. */
size_t frame_write(char *to, int first, const void *bytes, size_t length);
size_t frame_pack(char *to, size_t most, const void *bytes, size_t length);  /* as permessage-deflate has it (RFC 7692, 7.2.1) */
size_t frame_unpack(char *to, size_t most, const frame *f);
bool   frame_send(client *c, int first, const void *bytes, size_t length);
bool   frame_say(client *c, int first, const char *text);
const frame *frame_next(client *c);          /* valid until the next */

void expect_frame(client *c, int first, const char *text);
void expect_close(client *c, int code);      /* and then the end of the connection; 0: without a code */

#endif
