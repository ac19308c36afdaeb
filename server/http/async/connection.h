/* connection.h - one client of a loop: bytes in, requests started in order, answers out in order.
 *
 *     socket -> reader.c -> pipeline.c -> handler -> response.c -> writer.c -> socket
 *
 * A body is gathered first, or, if the route says so, pulled by its handler (stream.c).
 *
 * What arrives is read in the loop's own buffer and, if it is a whole request, never copied but into
 * that request; only the beginning of an incomplete one is kept aside. Answers gather in the
 * connection's output and leave in one write a turn. An idle connection is this struct and no more.
 *
 *   The end.  A client that closes its side has left, or only says that it will send no more; nothing
 *             tells which. Its answers have a second more, then its handlers are cancelled.
 *   Room.     What one client can make the server hold is bounded: limits.output of answers that it
 *             does not take (and what the answer that crosses it adds), limits.pipeline of requests,
 *             limits.head and one read of what it sends beyond them. */
#ifndef HTTP_CONNECTION_H
#define HTTP_CONNECTION_H

#include "server/http/observe/client_name.h"
#include "server/http/observe/request_over.h"
#include "server/http/request_internal.h"
#include "server/http/message/head_scanner.h"
#include "server/async/loop.h"
#include "server/async/timer.h"
#include "worker.h"

#include <sys/types.h>

/* What it waits for. */
typedef enum connection_phase {
    CONNECTION_NEW,                          /* its first byte */
    CONNECTION_IDLE,                         /* the next request */
    CONNECTION_HEAD,
    CONNECTION_BODY,
    CONNECTION_HANDLER,
    CONNECTION_LEFT,                         /* handlers, whose answers the client may want although it has closed its side */
    CONNECTION_WRITE,                        /* the kernel to take more */
    CONNECTION_LINGERING,                    /* the client to read the last answer */
    CONNECTION_WEBSOCKET,                    /* frames */
    CONNECTION_EVENTS,                       /* its handler to send another event */
    CONNECTION_CLOSING,                      /* the client to answer a websocket's Close */
} connection_phase;

typedef struct connection {
    timer         timer;
    ready         turn_end;
    output        out;
    request      *first, *last;              /* in the order they came */
    struct input *input;                     /* what could not be used yet; NULL when there is none */
    struct write *writing;                   /* the kernel does not take more of out yet; NULL: it has taken all */
    int           fd;
    uint32_t      since;                     /* ms, of which these are the low bits: when this phase began or got on */
    uint16_t      count;                     /* of requests */
    uint8_t       listener;                  /* which it came by, of the worker's */
    uint8_t       phase : 4;
    bool          reading : 1;               /* the body of the last request is arriving; its handler runs if it streams */
    bool          flushing : 1;              /* turn_end is in the loop's list */
    bool          busy : 1;                  /* reader_use is on the stack: it flushes when it is done */
    bool          blocked : 1;               /* there is input, but no room for another request yet */
    bool          more : 1;                  /* what is looked at came with an earlier request, or has lain aside */
    bool          paused : 1;                /* not reading from the socket */
    bool          reads : 1, writes : 1;     /* what the poller watches it for */
    bool          ending : 1;                /* no more requests: close when all is answered and written */
    bool          unread : 1;                /* the client may still be sending: linger */
    bool          left : 1;                  /* the client has said all: it is gone, or waits for the rest */
    bool          delimits : 1;              /* its end is that of its last answer: if that is not whole, a reset has to say so */
    bool          announces : 1;             /* a header of the PROXY protocol comes first (proxied.c) */
    bool          closing : 1;               /* its socket has been closed, and no new request may come */
    bool          named : 1;                 /* it was wanted to be told who its client is: that is behind it */
} connection;

_Static_assert(sizeof(connection) <= 120, "thousands are idle at once");
_Static_assert(LISTENERS_MOST <= UINT8_MAX, "a connection's listener is a byte");

static inline const listener *connection_listener(const connection *c) { return &worker_here->listeners->at[c->listener]; }

/* Behind it, if that was to be told when it came: who its client is. */
static inline client_name *connection_client(const connection *c) { return c->named ? (client_name *)(c + 1) : NULL; }

/* connection.c: its time and its end. */

/* A client has connected, by that listener of the worker's: its socket, non-blocking, is the connection's. */
void connection_begin(int fd, int listener);
void connection_watch(connection *c);        /* its phase may have changed: its time limit too */
void connection_limit(connection *c, uint64_t deadline);     /* a handler of its has one, and no task that would keep it */
void connection_finish(connection *c);       /* all is answered and written, and there will be no more */
void connection_abandon(connection *c);      /* its client is gone, or must go: handlers are cancelled */
void connection_free_if_done(connection *c);
void connection_poll(connection *c);         /* has changed what it waits for at its socket */
bool connection_ready(void *connection, uint32_t events);    /* its socket is, see poller.h */

void connections_drain(void);                /* each ends after what it is doing, or after its next request */
void connections_stop(int parts);            /* those that would go on, of the first parts (stop_spread.h), are told to end */
void connections_break_off(void);            /* bodies that stream end here: their handlers answer with what they have */
int  connections_abort(void);                /* each ends now; handlers are cancelled: how many had anything under way */

/* reader.c: bytes become requests. */
void reader_read(connection *c);             /* its socket can be read */
void reader_resume(connection *c);           /* if it had paused */
void reader_use(connection *c, const char *at, size_t length);       /* what is aside, then these bytes */
void reader_go_on(connection *c);            /* it was blocked or paused, and may be so no more */
bool reader_has_room(const connection *c);   /* may what comes next be looked at now? */
void reader_use_frames(connection *c);       /* some is aside: as much of it as its websocket wants */
void reader_forget(connection *c);           /* frees what is aside */

/* proxied.c: its peer may be a proxy that says for whom it speaks. */
connection *proxied_new(void);               /* zeroed; of a listener with proxy_protocol */
void     proxied_free(connection *c);
peer     connection_peer(const connection *c);
size_t   proxied_take(connection *c, const char *at, size_t length); /* its header: how many bytes, 0 when it needs more */

/* stream.c: a body that its handler pulls; that of c->last, which is c->reading, unless it says otherwise. */
size_t   stream_begin(connection *c, const char *at, size_t length); /* takes what has come with its head, and starts it */
size_t   stream_take(connection *c, const char *at, size_t length);
void     stream_break(connection *c, int err);       /* the rest will not come: its handler learns why */
MUST_AWAIT promise *stream_more(request *r);            /* settles when there is a piece, or the end */
bool     stream_is_waited_for(const request *r);
void     stream_end(connection *c, const request *r);        /* its handler has ended, and may have left some of it */

/* upgrade.c: what comes is a websocket's frames; that of c->first. */
extern const struct websocket_host upgrade_host;
bool   upgrade_is_there(const connection *c);        /* else what comes are requests */
bool   upgrade_has_room(const connection *c);
size_t upgrade_take(connection *c, const char *at, size_t length);
void   upgrade_go_on(connection *c);         /* all has been written: of what it follows there may be more */
bool   upgrade_is_over(const connection *c); /* is it of no matter that no more will come? */
connection_phase upgrade_phase(const connection *c);
bool   upgrade_ping(connection *c);          /* for ping's time nothing has come: false if its client is gone */
void   upgrade_stop(connection *c);          /* the server does: says so */
void   upgrade_cancel(request *r);           /* its client is gone */
int    upgrade_end(request *r, int err);     /* its handler has ended so: the error that is left */
void   upgrade_free(request *r);             /* what it holds, before the request ends */

/* event_stream.c: what is sent are events. */
extern const struct event_host event_stream_host;
bool   event_stream_is_there(const connection *c);   /* is the answer that is sent now such a one? */
void   event_stream_beat(connection *c);     /* for heartbeat's time nothing has been sent */
void   event_stream_stop(request *r);        /* the server does: its handler is told so */

/* pipeline.c: requests in the order in which they came. */
extern const request_host pipeline_host;     /* of each thread with a loop */
size_t pipeline_room(const connection *c);   /* of the arena of the next one: what pipeline_append needs of it */
void pipeline_append(connection *c, request *r);
void pipeline_start(connection *c, request *r);      /* it may start: now, or when those ahead allow it */
void pipeline_refuse(connection *c, int err);        /* answers all that came before, then this error, then ends */
void pipeline_abandon(connection *c);                /* cancels what its requests wait for */
uint64_t pipeline_cancel_late(const connection *c);  /* that of those whose deadline is over, tasks apart: returns the next one */

/* writer.c: answers become bytes. */
void     writer_go_on(connection *c);        /* its socket can be written to again */
void     writer_forget(connection *c);       /* what the kernel has not taken is dropped */
void     writer_push(connection *c);         /* as much as the kernel takes; the rest when it can */
void     writer_flush(connection *c);        /* the same, and what follows: room for more, or the end */
void     writer_flush_soon(connection *c);   /* at the end of this turn */
void     writer_end_turn(connection *c);     /* the same, also while it is in use: frees it if it has been closed by then */
void     writer_flush_next_turn(connection *c);
size_t   writer_backlog(const connection *c);        /* bytes that are still here */
bool     writer_has_room(const connection *c);       /* they are not too many for another request */
bool     writer_got_on(connection *c);       /* while writing: has the client taken any since the last look? */
size_t   writer_share(const request *r);     /* how large that may be */
MUST_AWAIT promise *writer_room(request *r);            /* settles when another piece of a long answer may come */
void     writer_wake(request *r, int err);   /* settles that, if it waits for it */

#endif
