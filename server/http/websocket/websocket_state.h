/* websocket_state.h - the inside of a websocket: what websocket.c and receiving.c share. */
#ifndef HTTP_WEBSOCKET_STATE_H
#define HTTP_WEBSOCKET_STATE_H

#include "message.h"
#include "websocket_internal.h"

struct websocket_message;

/* How it ended, or is about to. */
typedef struct ending {
    uint64_t closed_at;                      /* uv_hrtime when the server sent Close; 0: it has not */
    uint16_t code;                           /* 0: it is not over */
    uint8_t  reason_length;
    char     reason[FRAME_CONTROL_MOST - 2];
} ending;

struct websocket {
    request *req;
    message *coming;                         /* the next one; of which frames may still be to come */
    message *lent;                           /* the one that the handler has */
    ending  *ending;
    struct subscription *followed;           /* by follow.c */
    promise *waiting;                        /* of websocket_receive, or of websocket_each */
    promise *(*step)(websocket *ws, struct websocket_message m, void *arg);          /* NULL: it is the former's */
    union {
        struct websocket_message *to;        /* where the former wants the next one; NULL: it waits for readiness only */
        void                     *arg;       /* of each step */
    };
    uint8_t  window;                         /* bits of the server's, if messages may be compressed; 0: they may not */
    bool     pinged : 1;                     /* and nothing has come since */
    bool     closed : 1;                     /* the server has sent Close */
    bool     closed_by_client : 1;
    bool     over : 1;                       /* UV_EOF, behind the messages; then it is closed, too */
    bool     cancelled : 1;                  /* no more steps */
    bool     stepping : 1;                   /* steps are being taken */
};

_Static_assert(sizeof(websocket) <= WEBSOCKET_ROOM, "thousands are idle at once");

static inline bool websocket_has_message(const websocket *ws) { return ws->coming && ws->coming->whole; }

/* A step has the message. */
static inline bool websocket_is_answering(const websocket *ws) { return ws->lent && ws->lent->answer; }

/* The handler has done with the message that it has: if the websocket is over, that is said now. */
void websocket_drop(websocket *ws);

#endif
